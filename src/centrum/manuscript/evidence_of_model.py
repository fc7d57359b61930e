"""From features to a model: evidence for checklists."""

from collections.abc import Iterable, Iterator

from centrum.errors import DataError
from centrum.manuscript.answers import (
    AT_RANDOM,
    MODEL_FILE,
    ItemAnswer,
    StudyFacts,
    answered,
    author,
    classifier_text,
    evidence,
    funnel_text,
    not_applicable,
    not_done,
    result_file,
    share_positive,
    shown,
    touched,
)
from centrum.manuscript.methods_model import classifiers_used, fused, plain_sources
from centrum.modelling.classifiers import RIDGE_C, RIDGE_FOLDS
from centrum.report.readers import agreed_over
from centrum.report.results import StudyResults
from centrum.report.sections.other_readers import scored
from centrum.report.sections.sparse_model import lost_text
from centrum.report.sections.validation import sizes_needed
from centrum.report.words.agreement import rule_label
from centrum.report.words.model import (
    BALANCES,
    CALIBRATIONS,
    LAMBDAS,
    MEASURES,
    UNWEIGHTED,
    capped,
)
from centrum.report.words.validation import design_label
from centrum.text import counted, fixed, interval_text, sentence_case


@evidence
def agreement(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """Features that readers or perturbations change are removed."""
    texts, places = [], []
    if len(results.agreement):
        rule, kept = results.protocol.model.agreement, int(results.agreement["kept"].sum())
        texts.append(
            f"{rule_label(rule)} between {len(results.table.compared)} readers, decided on "
            f"training cases in every fit; over {agreed_over(results)}, {kept} of "
            f"{len(results.agreement)} features pass"
        )
        places += [
            shown("regions", "Figure agreement", "Table agreement"),
            shown("selection", "Table selection"),
        ]
    if len(results.robustness) and results.protocol.robustness is not None:
        rule_of, kept = results.protocol.robustness.icc, int(results.robustness["kept"].sum())
        texts.append(
            f"{rule_label(rule_of)} under perturbation of image and region: {kept} of "
            f"{len(results.robustness)} features pass"
        )
        places.append(shown("regions", "Figure robustness"))
    for found in results.evaluation.other_readers:
        texts.append(
            f'the {scored(results)} by the regions of "{found.name}": ICC {fixed(found.icc, 2)} '
            f"({interval_text(found.icc_interval.lower, found.icc_interval.upper, 2)}), test AUC "
            f"{fixed(found.other.auc, 2)} instead of {fixed(found.primary.auc, 2)}, "
            f"{found.changed} of {counted(len(found.cases), 'call')} otherwise"
        )
    if results.evaluation.other_readers:
        places.append(shown("other-readers", "Table other-readers", "Table reader-scores"))
    if not texts:
        return not_done("One reader and no perturbations: not assessed.", shown("regions"))
    return answered(f"{'; '.join(texts)}.", *places)


@evidence
def selection(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """Steps that take redundant or useless features out."""
    model = results.protocol.model
    reduced = (
        model.correlation is not None
        or model.screen is not None
        or model.select.method != "none"
        or model.rfe.estimator != "none"
        or model.classifier == "elastic_net"
        or results.protocol.search is not None
    )
    place = shown("selection", "Table selection")
    if not reduced:
        return not_done(f"No step looks for redundancy: {funnel_text(results)}.", place)
    limit = f"; |r| > {model.correlation.threshold:g} is redundant" if model.correlation else ""
    return answered(f"Features left, {funnel_text(results)}{limit}.", place)


@evidence
def feature_statistics(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """Agreement, selection, means and spread."""
    places = [
        shown("selection", "Table selection"),
        shown("model", "Table score", "Figure distributions"),
    ]
    if len(results.agreement):
        places.insert(0, shown("regions", "Table agreement"))
    n = counted(len(results.model.features), "feature")
    judged = "ICC of all features, " if len(results.agreement) else ""
    text = f"{judged}features left after each step, mean and SD of the {n} of the model"
    return answered(f"{sentence_case(text)}, and their values by outcome.", *places)


@evidence
def sample_size(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """Riley's criteria were computed."""
    place, n = shown("validation", "Table sample-size"), len(results.scores)
    try:
        needed = sizes_needed(results)
    except DataError as error:
        return not_done(f"Riley's criteria cannot be computed: {error}", place)
    return answered(
        f"Riley's criteria, computed after the study: {needed.model.n} cases for the "
        f"{len(results.model.features)} features of the model, {needed.candidates.n} for all "
        f"{len(results.table.features)} candidates; the study has {n}.",
        place,
    )


@evidence
def enough_cases(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """Whether the study meets Riley's criteria: for all candidates, or not even for the model."""
    found = sample_size(results, facts)
    if found.status != "answered":
        return found
    needed, n = sizes_needed(results), len(results.scores)
    if n >= needed.candidates.n:
        return found
    if n < needed.model.n:
        return not_done(f"{found.answer} That is too few.", found.pointer)
    return author(f"{found.answer} Whether that is enough remains to be argued.")


@evidence
def deep_learning(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """There is none."""
    text = f"No end-to-end deep learning: {classifier_text(results)} on tabulated features."
    return not_applicable(text, shown("model", "Table score"))


@evidence
def split(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """Sides, and proof that nothing crosses."""
    crossing, seen = touched(results)
    places = (shown("leaks", "Table sides", "Table fit-sets"), shown("validation"))
    proof = (
        f"{counted(crossing, 'patient')} on both sides of a part, {counted(seen, 'test patient')} "
        "seen by a fitted step"
    )
    if crossing or seen:
        return not_done(f"Test patients took part in the fit: {proof}.", *places)
    return answered(f"{design_text(results)}; whole patients on one side. {proof}.", *places)


def design_text(results: StudyResults) -> str:
    settings, parts = results.protocol.split, results.validation.parts
    sizes = " and ".join(
        f"{_between(part[side] for part in parts)} {name} cases"
        for side, name in (("n_train", "training"), ("n_test", "test"))
    )
    seed = f", seed {settings.seed}" if settings.design in AT_RANDOM else ""
    return (
        f"{sentence_case(design_label(settings))}: {counted(len(parts), 'part')} of {sizes}{seed}"
    )


def _between(values: Iterable[int]) -> str:
    every = list(values)
    return "–".join(dict.fromkeys(f"{end}" for end in (min(every), max(every))))


@evidence
def design(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """How the model was tested."""
    text = f"{design_text(results)}; all steps were refitted in every part."
    return answered(text, shown("validation"))


@evidence
def balance(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """Methods against unequal classes."""
    model, place = results.protocol.model, shown("protocol", "Table protocol")
    weighed = set(classifiers_used(results)) - set(UNWEIGHTED)
    done = model.balance != "class_weight" or bool(weighed)
    text = f"{share_positive(results)}; {BALANCES[model.balance if done else 'none'].label}"
    if model.balance == "none" or not done:
        return not_applicable(f"{text}.", place)
    if model.balance == "class_weight" and len(weighed) < len(classifiers_used(results)):
        text += " except in the elastic net"
    after = f"probabilities come from {CALIBRATIONS[model.calibration].label} on out-of-fold scores"
    return answered(f"{text}, in training cases of every fit only; {after}.", place)


@evidence
def scaling(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """The z-score."""
    clip = results.model.clip
    cut = f", set to ±{clip:g} beyond it" if clip is not None else ""
    text = f"Continuous, z-scored by mean and SD of the training cases of every fit{cut}."
    return answered(text, shown("model", "Table score"))


@evidence
def algorithm(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """The model and its steps."""
    text = (
        f"Model: {classifier_text(results)}. Features left, {funnel_text(results)}. All steps are "
        f"refitted in every part of the design ({design_label(results.protocol.split)})."
    )
    places = (shown("selection", "Table selection"), shown("protocol", "Table protocol"))
    return answered(text, *places)


@evidence
def tuning(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """What was chosen by cross-validation."""
    settings, model = results.protocol.model, results.model
    texts = [*_penalties(results)]
    places = [] if model.lasso is None else [shown("selection", "Figure lasso")]
    if model.feature_count is not None and settings.n_features is not None:
        texts.append(
            f"{counted(model.feature_count.chosen, 'feature')} by {settings.n_features.folds}-fold "
            f"cross-validated {MEASURES[model.feature_count.measure]}"
        )
        places.append(shown("selection", "Figure feature-count"))
    elif settings.n_features is not None and fused(results):
        texts.append(
            f"number of features{_of_sources(results)} by {settings.n_features.folds}-fold "
            f"cross-validated {MEASURES[settings.n_features.measure]}"
        )
    if results.search:
        texts.append(f"{counted(len(results.search), 'candidate')} of the search")
        places.append(shown("validation", "Table search"))
    text = "Nothing was tuned: the settings are those of the protocol."
    if texts:
        text = f"{sentence_case('; '.join(texts))}; folds by patient, within training cases."
    return answered(text, *places, shown("protocol", "Table protocol"))


def _of_sources(results: StudyResults) -> str:
    """Whose models choose: a few numbers have a plain regression of all of them."""
    plain = plain_sources(results)
    return " of each source's model" + (f" but that of {' and '.join(plain)}" if plain else "")


def _penalties(results: StudyResults) -> Iterator[str]:
    """Penalties that cross-validation chose, of a selection or a classifier."""
    settings, found = results.protocol.model, results.model.lasso
    used = (
        {settings.select.method, settings.classifier} if results.protocol.search is None else set()
    )
    if found is not None or used & {"lasso", "elastic_net"}:
        measure = MEASURES[settings.lasso.measure if found is None else found.measure]
        penalty = LAMBDAS[settings.lasso.choice].format(measure=measure)
        value = _of_sources(results) if found is None else f" λ = {found.chosen:.4g}"
        yield (
            f"penalty{value}, {penalty}, in {settings.lasso.folds}-fold cross-validation"
            f"{capped(settings.lasso)}"
        )
    if "ridge" in used:
        yield (
            f"C of the ridge among {len(RIDGE_C)} values by the binomial deviance in "
            f"{RIDGE_FOLDS}-fold cross-validation"
        )


@evidence
def model_choice(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """One model, or the winner of a search."""
    if not results.search:
        text = f"The protocol states one model ({classifier_text(results)}); there was no search."
        lost = lost_text(results)
        beside = [shown("sparse-model", "Table sparse")] if lost else []
        return answered(f"{text} {lost}".strip(), shown("protocol", "Table protocol"), *beside)
    measure = MEASURES[results.protocol.search.measure] if results.protocol.search else ""
    text = (
        f"{counted(len(results.search), 'candidate')} were compared by cross-validated {measure} "
        f"within training cases; chosen: {classifier_text(results)}."
    )
    return answered(text, shown("validation", "Table search", "Figure search"))


@evidence
def specification(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """All that a prediction is computed from."""
    n = counted(len(results.model.features), "feature")
    moved = results.model.linear and results.scorer.batch_column
    harmonised = ["Table harmonisation"] if moved else []
    place = shown("model", "Table score", *harmonised, "Table call")
    if results.model.linear:
        settings = CALIBRATIONS[results.protocol.model.calibration].label
        text = (
            f"Intercept, and coefficient, mean and SD of {n}: the score is their weighted sum. "
            f"{_harmonised(results)}Probabilities follow by {settings}."
        )
        files = (*result_file(results, "model.json"), *result_file(results, "evaluation.json"))
        return answered(text, place, *files)
    if facts.exported_model:
        text = f"The classifier ({classifier_text(results)}) on {n} is the exported model itself."
        return answered(text, place, MODEL_FILE)
    return not_done(
        f"Of the classifier ({classifier_text(results)}) only its {n} are given.", place
    )


def _harmonised(results: StudyResults) -> str:
    column = results.scorer.batch_column
    return f"Location and scale of every {column} are listed. " if column else ""


@evidence
def interpretation(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """Coefficients and distributions, and what the score rests on."""
    found, linear = results.explanation, results.model.linear
    explained = found is not None and found.parts and results.evaluation.above_chance
    own = ["Table score", *(["Figure coefficients"] if linear else []), "Figure distributions"]
    place = shown("model", *own)
    if not linear and not explained:
        named = f"classifier ({classifier_text(results)})"
        text = f"The {named} has no coefficients, and no prediction is explained."
        return not_done(text, place)
    n = counted(len(results.model.features), "coefficient")
    text = (
        f"{n} per SD of their features, with values by outcome and their correlation."
        if linear
        else "Values of the features by outcome and their correlation."
    )
    if found is None or not explained:
        return answered(text, place)
    more = "Contributions of the features to scores of held-out cases"
    shows = ["Figure contributions-held-out"]
    if found.groups:
        more += ", the drop in AUC when groups of correlated features are permuted"
        shows += ["Table importance", "Figure importance"]
    if found.effects:
        more += ", local effects of the leading ones"
        shows.append("Figure local-effects")
    return answered(f"{text} {more}.", place, shown("explanation", *shows))
