"""The sections of the report, in their order: results in, blocks out."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from centrum.agreement.copies import copies_in
from centrum.agreement.overlap import LOW_DICE
from centrum.errors import of_case
from centrum.evaluate import Evaluation
from centrum.evaluate.bootstrap import Interval
from centrum.measure.images import mask_of, shown_image
from centrum.modelling.settings import FeatureCountSettings, RobustnessRule
from centrum.protocol.limits import region_words
from centrum.report import readings
from centrum.report.blocks import Block, Picture, Point, Table, picture
from centrum.report.cases import cases
from centrum.report.caveats import cautions, caveats
from centrum.report.figures import (
    RoiPanel,
    draw_agreement,
    draw_agreement_grid,
    draw_coefficients,
    draw_distributions,
    draw_feature_count,
    draw_flow,
    draw_lasso,
    draw_robustness,
    draw_roc,
    draw_rois,
)
from centrum.report.flow import flow_chart, flow_table
from centrum.report.formula import decision_table, harmonisation_table, score_table
from centrum.report.labels import family_label
from centrum.report.leak_audit import leak_audit
from centrum.report.numbering import ref
from centrum.report.readers import agreed_cases, agreed_over, readers_counted, span, trained_over
from centrum.report.results import StudyResults
from centrum.report.sequences import weighting_text
from centrum.report.slices import (
    MOST_DIFFERING,
    Shown,
    choose_cases,
    differing_cases,
    largest_slice,
)
from centrum.report.tables import (
    PARTS,
    agreement_table,
    digest_table,
    failure_table,
    finding_table,
    frame_table,
    funnel_table,
    history_table,
    model_labels,
    model_order,
    overlap_table,
    performance_table,
    population_table,
    protocol_table,
    version_table,
)
from centrum.report.validation import calibration_and_use, means_over_parts, validation
from centrum.report.words.agreement import PERTURBATIONS, icc_label, rule_label
from centrum.report.words.model import COUNT_RULES, MEASURES, classifier_label
from centrum.text import counted, fixed, interval_text, p_equals, percent
from centrum.validation.matrix import study_matrix
from centrum.validation.model import FeatureCountFacts, LassoFacts

MOST_SHOWN = 20
"""Features whose distributions are drawn, those with the largest coefficients."""

Section = Callable[[StudyResults], Block]


def summary(results: StudyResults) -> Block:
    """What was found, in a few numbers, and what it is not."""
    test, model = results.evaluations["test"], results.model
    confidence = f"{percent(test.confidence)} CI"
    facts = [
        ("Cases analysed", f"{len(results.table.obs)}"),
        *(
            (f"{name}, test ({confidence})", _with_interval(value, interval))
            for name, value, interval in _headline(results, test)
        ),
    ]
    funnel = f"{counted(len(model.features), 'feature')} of {len(results.table.features)}"
    prose = (
        results.protocol.description,
        f"The score tells {model.positive} (high) from {model.negative} (low) by {funnel}. "
        f"Classifier: {classifier_label(model.classifier)}, fitted to "
        f"{counted(model.n_train, 'training case')} and judged on "
        f"{counted(test.n, 'test case')} of {counted(test.n_patients, 'patient')} "
        f"{_held_out(results)}.",
        weighting_text(results),
        _cautioned(results),
    )
    return Block(
        "Summary",
        "summary",
        prose=tuple(filter(None, prose)),
        facts=tuple(facts),
    )


def _cautioned(results: StudyResults) -> str:
    """How much speaks against the numbers above; the section that says it follows."""
    grave = len(cautions(results))
    if not grave:
        return ""
    return (
        f"{counted(grave, 'caution speaks', 'cautions speak')} against these numbers; read the "
        "next section first."
    )


def _headline(results: StudyResults, test: Evaluation) -> tuple[tuple[str, float, Interval], ...]:
    """AUC, sensitivity and specificity: of the test side, or their means over the parts."""
    if not results.protocol.split.single_part:
        means = means_over_parts(results)
        names = [name for name in ("AUC", "Sensitivity", "Specificity") if name in means]
        return tuple((name, means[name].mean, means[name].interval) for name in names)
    decisions = tuple(
        (name.capitalize(), test.measures[name].value, _interval(test, name))
        for name in ("sensitivity", "specificity")
    )
    return (("AUC", test.auc.value, test.auc.percentile), *decisions)


def _held_out(results: StudyResults) -> str:
    if results.protocol.split.single_part:
        return "who took no part in any choice"
    n = counted(len(results.assessment.parts), "part")
    return f"over {n}, in each of which those held out took no part in any choice"


def _with_interval(value: float, interval: Interval) -> str:
    return f"{fixed(value, 2)} ({interval_text(interval.lower, interval.upper, 2)})"


def _interval(found: Evaluation, measure: str) -> Interval:
    """By patient where patients have several cases, as in the table of performance."""
    both = found.measures[measure]
    return both.bootstrap if found.n_patients < found.n else both.interval


def population(results: StudyResults) -> Block:
    """Who was studied: flow of the cases, and a table."""
    chart = flow_chart(results)
    said = [line for stop in chart.stops for line in (stop.stay[0], *stop.leave)]
    stations = flow_table(results)
    figure = picture(
        draw_flow(chart, results.simulated),
        "flow",
        "From the manifest to the training and test set",
        "Flow of the cases: who was in the manifest, who was left out by which rule, who was "
        "analysed, and how the patients were split; all cases of a patient are on one side. "
        f"n = {results.flow.start.cases} cases.",
        f"Flow diagram. {'; '.join((*said, *(part[0] for part in chart.parts)))}.",
        stations,
        reading=readings.flow(stations),
    )
    return Block(
        "Population",
        "population",
        tables=(population_table(results),),
        pictures=(figure,),
    )


def regions(results: StudyResults) -> Block:
    """The regions of interest, and how well readers agree."""
    tables: list[Table] = []
    pictures: list[Picture] = []
    if results.sources:
        pictures += _roi_pictures(results)
    if len(results.overlap):
        tables.append(overlap_table(results.overlap))
    if len(results.agreement):
        pictures += [_agreement_picture(results), _agreement_grid_picture(results)]
        tables.append(agreement_table(results.agreement))
    readers = results.table.readers
    prose = f"Readers: {', '.join(readers_counted(results))}. The features of "
    prose += f"{readers[0]} feed the model."
    if len(readers) == 1:
        prose += " With one reader, agreement cannot be judged."
    elif len(results.agreement):
        prose += f" The readers are compared over {agreed_over(results)}; the final model judged "
        prose += f"their agreement on {trained_over(results)}."
    prose = " ".join((prose, *(pair.text() for pair in copies_in(results.overlap))))
    if len(results.robustness):
        prose += f" {_perturbed_text(results)}"
        pictures.append(_robustness_picture(results))
    return Block(
        "Regions and agreement", "regions",
        prose=(prose,), tables=tuple(tables), pictures=tuple(pictures),
    )  # fmt: skip


def _roi_pictures(results: StudyResults) -> list[Picture]:
    """One, of the cases whose files can still be read; none where there is none of them."""
    model = results.model
    usual = choose_cases(results.scores, (model.positive, model.negative))
    differing = differing_cases(results.scores, results.overlap)
    known = {shown.case for shown in usual}
    chosen = (*usual, *(s for s in differing[:MOST_DIFFERING] if s.case not in known))
    drawn = {shown: panel for shown in chosen if (panel := _roi_panel(results, shown))}
    if not drawn:
        return []
    panels = list(drawn.values())
    caption = (
        "Sagittal slice with the largest region of the first reader; anterior is left. Of each "
        "outcome the cases nearest its median score and the one with the most atypical score "
        f"(n = {len(drawn)} of {len(results.scores)} cases; training cases with their "
        f"out-of-fold score){_differing_text(len(differing))}. Dice is that of the whole regions. "
        "Grey levels from the 2nd to the 98th percentile of the part shown."
    )
    titles = "; ".join(", ".join(panel.title) for panel in panels)
    data = pd.DataFrame([(s.case, s.outcome, s.score, s.reason) for s in drawn])
    return [picture(
        draw_rois(panels, results.simulated), "regions", "Regions of interest", caption,
        "Sagittal slices with the outlines of the readers around the "
        f"{region_words(results.protocol.images.region)}: {titles}.",
        frame_table(data.set_axis(["case", "outcome", "score", "reason"], axis=1)),
        reading=readings.regions(chosen, (model.positive, model.negative)), raster=True, main=True,
    )]  # fmt: skip


def _differing_text(n: int) -> str:
    """Which cases are shown because two readers differ, of `n` such cases."""
    if not n:
        return ""
    which = f", of {n} the {MOST_DIFFERING} with the lowest" if n > MOST_DIFFERING else ""
    return f", and the cases in which two readers have a Dice below {LOW_DICE:g}{which}"


def _roi_panel(results: StudyResults, shown: Shown) -> RoiPanel | None:
    """None where the files of the case cannot be read any more."""
    try:
        return _panel(results, shown)
    except Exception as error:
        of_case(error)
        return None


def _panel(results: StudyResults, shown: Shown) -> RoiPanel:
    image, masks = results.sources[shown.case]
    images, table = results.protocol.images, results.table
    volume = shown_image(image, images)
    measured = np.isfinite(table.values[table.cases.index(shown.case)]).any(axis=0)
    readers = [reader for reader, there in zip(table.readers, measured, strict=True) if there]
    regions = {reader: mask_of(masks[reader], volume, images) for reader in readers}
    part = largest_slice(volume, regions)
    level = table.obs.loc[shown.case].get("level")
    name = [*([level] if isinstance(level, str) else []), shown.outcome, shown.case]
    facts = [shown.reason, f"score {fixed(shown.score, 2)}", *_dice_text(results, shown.case)]
    title = (" · ".join(name), " · ".join(facts))
    return RoiPanel(part.image, part.masks, part.spacing, title)


def _dice_text(results: StudyResults, case: str) -> list[str]:
    """The lowest Dice of two readers, if the case has two."""
    if results.overlap.empty:
        return []
    own = results.overlap[results.overlap["case"] == case]
    return [f"Dice {fixed(own['dice'].min(), 2)}"] if len(own) else []


def _agreement_picture(results: StudyResults) -> Picture:
    agreement, rule = results.agreement, results.protocol.model.agreement
    kept = agreement["kept"].to_numpy(dtype=bool)
    form, limit = icc_label(rule), rule_label(rule)
    dice = {
        f"{a} – {b}": pair["dice"].to_numpy()
        for (a, b), pair in results.overlap.groupby(["reader_a", "reader_b"], sort=False)
    }
    pairs = "; ".join(f"{p} median {fixed(np.median(v))}, n = {len(v)}" for p, v in dice.items())
    caption = (
        f"{'(a) ' if dice else ''}{form} of all {len(agreement)} features over "
        f"{agreed_over(results)} (n = {agreed_cases(results)}); {kept.sum()} pass the rule "
        f"{limit}. The model repeats this decision on its own training cases."
        f"{f' (b) Dice coefficient of the regions ({pairs}).' if dice else ''}"
    )
    return picture(
        draw_agreement(
            agreement["icc"], kept, rule.threshold, form, limit,
            dice, results.simulated,
        ),
        "agreement", "Agreement between readers", caption,
        f"Histogram and box plot. {kept.sum()} of {len(agreement)} features pass the threshold of "
        f"{rule.threshold:g}.{f' Dice: {pairs}.' if dice else ''}",
        frame_table(agreement.reset_index()),
        reading=readings.agreement(kept, dice, agreed_over(results)),
    )  # fmt: skip


def _agreement_grid_picture(results: StudyResults) -> Picture:
    agreement, rule = results.agreement, results.protocol.model.agreement
    features, form = results.table.features, icc_label(rule)
    families, images = [family_label(f) for f in features], [f.source for f in features]
    facts = pd.DataFrame({"image": images, "family": families})
    facts[["icc", "kept"]] = agreement[["icc", "kept"]].to_numpy()
    cells = facts.groupby(["image", "family"], sort=False)
    data = cells.agg(median=("icc", "median"), kept=("kept", "sum"), features=("kept", "size"))
    by_image = facts.groupby("image", sort=False)["kept"].agg(["sum", "size"])
    listed = "; ".join(f"{name} {row['sum']} of {row['size']}" for name, row in by_image.iterrows())
    caption = (
        f"Median {form} between readers of the features of each family, on the image itself and "
        f"on every response map, over {agreed_over(results)} "
        f"(n = {agreed_cases(results)}). Numbering: how many features "
        f"pass the threshold of {rule.threshold:g}, of how many."
    )
    return picture(
        draw_agreement_grid(
            agreement["icc"], agreement["kept"], families, images, form, results.simulated
        ),
        "agreement-grid", "Agreement by family and image", caption,
        f"Heat map. Features that pass, by image: {listed}.",
        frame_table(data.reset_index()), reading=readings.agreement_grid(facts),
    )  # fmt: skip


def _perturbed_text(results: StudyResults) -> str:
    robustness, found = results.protocol.robustness, results.robustness
    if robustness is None:
        return ""
    kinds = ", ".join(PERTURBATIONS[kind].label for kind in robustness.kinds)
    return (
        f"Image and region of {results.table.readers[0]} were perturbed "
        f"({kinds}{'; together' if robustness.together else '; one at a time'}) and measured "
        f"again: {int(found['kept'].sum())} of {len(found)} features are robust. The model decides "
        "this on its own training cases."
    )


def _perturbed_cases(results: StudyResults) -> str:
    """How many cases were measured under every perturbation, of how many."""
    n = results.robustness["n"]
    return f"{span(int(n.min()), int(n.max()))} of {len(results.table.cases)}"


def _robustness_picture(results: StudyResults) -> Picture:
    found, robustness = results.robustness, results.protocol.robustness
    rule = robustness.icc if robustness else RobustnessRule()
    form, limit = icc_label(rule), rule_label(rule)
    apart = {
        column.removeprefix("icc_"): found[column]
        for column in map(str, found.columns)
        if column.startswith("icc_")
    }
    families = [family_label(feature) for feature in results.table.features]
    n_kept = int(found["kept"].sum())
    caption = (
        f"{form} of {len(found)} features between the measurement and its perturbations, over "
        f"n = {_perturbed_cases(results)} cases, by family. Dashed: the threshold. In brackets: "
        f"features of the family with {limit} over all perturbations. Box: "
        "quartiles and median; whiskers: furthest values within 1.5 interquartile ranges."
    )
    medians = found.groupby(np.array(families), sort=False)["icc"].median()
    listed = "; ".join(f"{family} {fixed(value)}" for family, value in medians.items())
    return picture(
        draw_robustness(
            apart or {"": found["icc"]}, families, found["kept"], rule.threshold, form,
            results.simulated,
        ),
        "robustness", "Robustness to perturbation", caption,
        f"Box plots. {n_kept} of {len(found)} features pass. Medians by family: {listed}.",
        frame_table(found.reset_index()),
        reading=readings.robustness(found["icc"], found["kept"], families),
    )  # fmt: skip


def selection(results: StudyResults) -> Block:
    """From all features to those of the model."""
    warnings: tuple[str, ...] = ()
    lasso, count = results.model.lasso, results.model.feature_count
    if lasso is not None and lasso.fallback:
        warnings = (
            "The penalty that cross-validation chose selects no feature; the largest penalty "
            "that selects one was taken instead. The features then hold little information.",
        )
    return Block(
        "Selection of features",
        "selection",
        prose=(
            "Every step was fitted on training cases only, and again in every fold. The numbers "
            "are those of the final fit.",
        ),
        warnings=warnings,
        tables=(funnel_table(results),),
        pictures=(
            *([_lasso_picture(results, lasso)] if lasso is not None else []),
            *([_count_picture(results, count)] if count is not None else []),
        ),
    )


def _lasso_picture(results: StudyResults, facts: LassoFacts) -> Picture:
    n = results.model.n_train
    names = [results.model.features[k] for k in model_order(results.model)]
    numbered = [f"{k}  {label}" for k, label in enumerate(model_labels(results), 1)]
    labels = dict(zip(names, numbered, strict=True))
    caption = (
        "(a) Coefficients against log(λ); coloured: the features of the model, numbered as in "
        f"{ref('table score')}. (b) Cross-validated (CV) {MEASURES[facts.measure]} ± standard "
        f"error. Blue band: the penalty taken, λ = {facts.chosen:.4g}. Numbers along the top: "
        f"features with a coefficient. n = {n} training cases before balancing."
    )
    data = pd.DataFrame(
        {"lambda": facts.lambdas, "features": facts.n_features.astype(int), "mean": facts.cvm,
         "se": facts.cvsd, **dict(zip(facts.names, facts.coefficients.T, strict=True))}
    )  # fmt: skip
    return picture(
        draw_lasso(facts, labels, results.simulated), "lasso", "Selection by the LASSO", caption,
        f"Two curves against log lambda. The {MEASURES[facts.measure]} is best at lambda "
        f"{facts.lambda_min:.4g}; within one standard error of it at {facts.lambda_1se:.4g}.",
        frame_table(data),
        reading=readings.lasso(facts), main=True,
    )  # fmt: skip


def _count_picture(results: StudyResults, facts: FeatureCountFacts) -> Picture:
    choice = results.protocol.model.n_features or FeatureCountSettings()
    measure = MEASURES[facts.measure]
    caption = (
        f"Mean and standard error (SE) of the {measure} over {choice.folds} folds of the "
        f"training patients, with every step refitted in each. Taken: {facts.chosen}, "
        f"{COUNT_RULES[choice.rule].label}. n = {results.model.n_train} training cases."
    )
    data = pd.DataFrame({"features": facts.numbers, "mean": facts.mean, "se": facts.se})
    at = list(facts.numbers).index(facts.chosen)
    return picture(
        draw_feature_count(facts, results.simulated),
        "feature-count", "Number of features", caption,
        f"Curve of the {measure} against 1 to {int(facts.numbers[-1])} features; "
        f"{fixed(facts.mean[at])} at the {facts.chosen} that were taken.",
        frame_table(data), reading=readings.feature_count(facts),
    )  # fmt: skip


def model(results: StudyResults) -> Block:
    """The score: coefficients, and the features behind them."""
    return Block(
        "Model",
        "model",
        tables=(
            score_table(results),
            *harmonisation_table(results),
            decision_table(results),
        ),
        pictures=(
            *([_coefficient_picture(results)] if results.model.linear else []),
            _distribution_picture(results),
        ),
    )


def _coefficient_picture(results: StudyResults) -> Picture:
    fitted = results.model
    labels = model_labels(results)
    values = fitted.coefficients[model_order(fitted)]
    listed = "; ".join(f"{name} {fixed(v)}" for name, v in zip(labels, values, strict=True))
    return picture(
        draw_coefficients(labels, values, (fitted.positive, fitted.negative), results.simulated),
        "coefficients", "Coefficients of the model",
        "Coefficient of each selected feature per standard deviation (SD), the largest first; "
        f"numbers as in {ref('table score')}. n = {fitted.n_train} training cases.",
        f"Bar chart. {listed}.",
        frame_table(pd.DataFrame({"feature": labels, "coefficient": values})),
        reading=readings.coefficients(labels, values, (fitted.positive, fitted.negative)),
        main=True,
    )  # fmt: skip


def _distribution_picture(results: StudyResults) -> Picture:
    fitted, table = results.model, results.table
    order = model_order(fitted)[:MOST_SHOWN]
    labels = model_labels(results)[:MOST_SHOWN]
    matrix = study_matrix(table, results.protocol)
    at = [matrix.names.index(name) for name in fitted.features]
    values = fitted.scaled(matrix.X[:, at, 0])[:, order]
    positive = (table.obs["outcome"] == fitted.positive).to_numpy()
    frame = pd.DataFrame(values, columns=list(labels))
    frame.insert(0, "case", table.cases)
    frame.insert(1, "outcome", table.obs["outcome"].to_numpy())
    medians = "; ".join(
        f"{name} {fixed(a, 2)} and {fixed(b, 2)}"
        for name, a, b in zip(
            labels, np.median(values[positive], axis=0), np.median(values[~positive], axis=0),
            strict=True,
        )
    )  # fmt: skip
    return picture(
        draw_distributions(
            labels, values, positive, (fitted.positive, fitted.negative), results.simulated
        ),
        "distributions", "The selected features",
        "(a) Values by outcome, in standard deviations (SD) from the mean of the training cases. "
        "Box: quartiles and median; whiskers: furthest values within 1.5 interquartile ranges. "
        f"(b) Pearson correlation. Numbers as in {ref('table score')}. n = {len(values)} analysed "
        "cases.",
        f"Box plots and correlation matrix. Medians of {fitted.positive} and {fitted.negative}: "
        f"{medians}.",
        frame_table(frame),
        reading=readings.distributions(
            labels, values, positive, (fitted.positive, fitted.negative)
        ),
        main=True,
    )  # fmt: skip


def performance(results: StudyResults) -> Block:
    """Areas, measures at the cut-off, and the ROC curves."""
    found = {PARTS.get(name, name): e for name, e in results.evaluations.items()}
    test = results.evaluations["test"]
    sizes = "; ".join(f"{name} n = {e.n}" for name, e in found.items())
    data = pd.concat(
        pd.DataFrame(
            {"scores": name, "threshold": e.roc.thresholds, "sensitivity": e.roc.sensitivity,
             "specificity": e.roc.specificity}
        )
        for name, e in results.evaluations.items()
    )  # fmt: skip
    figure = picture(
        draw_roc(
            found, results.judgement.band, results.judgement.readers, results.simulated
        ),
        "roc", "ROC curves",
        f"Receiver operating characteristic with the area under the curve (AUC) and its "
        f"bootstrap percentile interval. Band: pointwise {percent(test.confidence)} interval of "
        f"the test curve. Dots: {_cutoff_text(results)}. {sizes}.",
        f"ROC curves. {'; '.join(f'{n}: AUC {fixed(e.auc.value)}' for n, e in found.items())}.",
        frame_table(data),
        reading=readings.roc(
            test, (results.model.positive, results.model.negative),
            not results.protocol.split.single_part,
        ),
        main=True,
    )  # fmt: skip
    return Block(
        "Performance",
        "performance",
        prose=(
            f"On the test cases the AUC is {fixed(test.auc.value)}, {p_equals(test.auc.p)} "
            "against 0.5; between specificities of 0.8 and 1 the partial AUC, corrected to lie "
            f"between 0.5 for chance and 1, is {fixed(results.judgement.partial_auc)}.",
            *_pooled_text(results),
        ),
        tables=(performance_table(results.evaluations),),
        pictures=(figure,),
    )


def _cutoff_text(results: StudyResults) -> str:
    own = f"the cut-off of {fixed(results.cutoff.value)}, learnt on {results.cutoff.learnt_on}"
    if results.protocol.split.single_part:
        return own
    return f"{own}; of the test curve the calls of every part's own cut-off"


def _pooled_text(results: StudyResults) -> tuple[str, ...]:
    """What "test" means in a design of several parts."""
    if results.protocol.split.single_part:
        return ()
    return (
        "The design has several parts: here a case's test score is the mean of its probabilities, "
        "and its call the majority of the calls, over the parts in which its patient was held out. "
        "Means over the parts, with intervals that allow for their overlap, are in "
        f"{ref('table parts')}.",
    )


def quality(results: StudyResults) -> Block:
    """Findings and failures."""
    tables = [failure_table(results)] if results.failures else []
    tables += [finding_table(results)] if results.findings else []
    failed = f"{counted(len(results.failures), 'case')} could not be measured"
    prose = (
        f"{failed if results.failures else 'All eligible cases were measured'}; "
        f"{counted(len(results.findings), 'finding')} in images and regions that were measured.",
    )
    return Block("Findings and failures", "quality", prose=prose, tables=tuple(tables))


def protocol(results: StudyResults) -> Block:
    """The choices, and where they depart from the study that they follow."""
    deviations = results.protocol.deviations
    prose = "Deviations:" if deviations else "The protocol states no deviations."
    return Block(
        "Protocol", "protocol",
        prose=(prose,), points=tuple(map(Point, deviations)), tables=(protocol_table(results),),
    )  # fmt: skip


def provenance(results: StudyResults) -> Block:
    """Where every number comes from."""
    return Block(
        "History, software and digests",
        "provenance",
        prose=("The same inputs, protocol and versions give the same bytes.",),
        tables=(history_table(results.history), version_table(results), digest_table(results)),
    )


SECTIONS: tuple[Section, ...] = (
    summary,
    caveats,
    population,
    regions,
    selection,
    model,
    performance,
    calibration_and_use,
    validation,
    leak_audit,
    cases,
    quality,
    protocol,
    provenance,
)
"""The report, in its order."""
