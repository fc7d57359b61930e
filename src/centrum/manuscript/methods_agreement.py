"""Which features were reproducible: between readers, and under perturbations."""

from centrum.agreement import parse_form
from centrum.manuscript.passage import Passage
from centrum.modelling.settings import AgreementSettings, RobustnessRule
from centrum.morphometry.dent import HELD
from centrum.morphometry.genant import GRADES
from centrum.morphometry.profile import PLACES
from centrum.morphometry.sagittal import SLAB_MM
from centrum.perturb.settings import RobustnessSettings
from centrum.report.readers import agreed_over, not_compared_text, trained_over, within_text
from centrum.report.results import StudyResults
from centrum.report.words.agreement import FORMS, JUDGED, PERTURBATIONS, icc_label
from centrum.text import counted, number, quoted, sentences
from centrum.validation.matrix import covariate_values


def between_readers(results: StudyResults) -> Passage:
    """The ICC between readers, or why there is none."""
    if len(results.table.compared) < 2:
        alone = "With one reader, agreement between readers was not assessed."
        return Passage(alone, within_text(results))
    rule = results.protocol.model.agreement
    paper = sentences(
        "Agreement of the readers on each feature was measured by the intraclass correlation "
        f"coefficient {icc_label(rule)}.",
        f"A feature was kept when, on the training cases, {JUDGED[rule.use].told(rule)} exceeded "
        f"{number(rule.threshold)}.",
        not_compared_text(results),
    )
    supplement = sentences(
        f"{icc_label(rule)} is of the form: {FORMS[parse_form(rule.form)]}.",
        "Cases without a measurement of each of the readers compared did not count.",
        BY_PATIENT if clustered(results) else "",
        f"The final model judged the agreement on {trained_over(results)}.",
        _kept(results, "agreement"),
        f"The ICC that is reported of each feature is over {agreed_over(results)}; it had no part "
        "in the model.",
        within_text(results),
    )
    return Passage(paper, supplement)


def of_the_score(results: StudyResults) -> Passage:
    """How the score was judged by the regions of further readers; nothing with one reader."""
    found = results.evaluation.other_readers
    if not found:
        return Passage()
    what = "model was" if results.protocol.split.single_part else "models of the parts were"
    covariates = " with the same covariates" * bool(results.protocol.model.covariates)
    clustered = any(each.n_patients < len(each.cases) for each in found)
    told = (
        f"To see how far results depend on who draws, the {what} also applied, unchanged, to the "
        f"features of the regions of {quoted(each.name for each in found)} on the test "
        f"cases{covariates}."
    )
    supplement = sentences(
        told,
        "AUCs of the readers' regions were compared by DeLong's paired test, scores by "
        f"{icc_label(results.protocol.model.agreement)} and by Bland and Altman's 95 % limits of "
        "agreement, calls by Cohen's kappa.",
        "The interval of the ICC was of the jackknife over patients, those of the limits were of "
        "the bootstrap by patient."
        if clustered
        else "",
    )
    return Passage(supplement=supplement)


BY_PATIENT = (
    "Because patients had several cases, the ICC's confidence intervals and P values are by the "
    "jackknife over patients on Fisher's scale (Arvesen and Schmitz, Biometrics 1970;26:677-686), "
    "intervals of agreement never narrower than those of independent cases."
)


def clustered(results: StudyResults) -> bool:
    """Whether patients have several cases."""
    return bool(results.table.obs["patient"].duplicated().any())


def _form(rule: AgreementSettings | RobustnessRule) -> str:
    form = FORMS[parse_form(rule.form)]
    return f"the intraclass correlation coefficient {icc_label(rule)} ({form})"


def _kept(results: StudyResults, step: str) -> str:
    """How many features the step left in the fit of the final model."""
    if step not in results.model.funnel:
        return ""
    candidates = len(results.table.features) + len(covariate_names(results))
    left = results.model.funnel[step]
    before = f" of {candidates} candidates" if step == "agreement" else ""
    return f"In the fit of the final model {counted(left, 'feature')}{before} remained."


def covariate_names(results: StudyResults) -> tuple[str, ...]:
    """Columns of numbers that the covariates make, such as "sex=F" and "sex=M"."""
    made = covariate_values(results.table.obs, results.protocol.model.covariates)[1]
    return tuple(name for names in made for name in names)


def morphometry(results: StudyResults) -> Passage:
    """How the vertebral bodies were measured and graded; nothing where they were not."""
    settings = results.protocol.morphometry
    if settings is None:
        return Passage()
    among = "the nearest whole bodies of the same label map, else " if settings.neighbours else ""
    front, *_, behind = PLACES
    mild, moderate, severe = GRADES
    paper = "Heights of the vertebral bodies were measured, and their loss was graded (Genant)."
    supplement = sentences(
        "Heights were measured in the masks as they were drawn, in the sagittal slices within "
        f"{SLAB_MM / 2:g} mm of the middle of each body and between {100 * front:.0f} and "
        f"{100 * behind:.0f} % of its depth.",
        f"The loss of height was relative to {among}healthy bodies of the level, scaled by the "
        f"depth of the body; its greatest value that was held over {100 * HELD:.0f} % of the depth "
        f"gave the grade ({100 * mild:.0f}, {100 * moderate:.0f} and {100 * severe:.0f} %; Genant "
        "et al., J Bone Miner Res 1993;8:1137). Schmorl nodes, deep, narrow and central dents of "
        "one end plate in few slices, were not graded.",
        "No height of one case was used for another.",
    )
    return Passage(paper, supplement)


def perturbed(results: StudyResults) -> Passage:
    """The perturbations and the ICC under them, or that there were none."""
    robustness = results.protocol.robustness
    if robustness is None:
        return Passage(
            supplement="Robustness of features to perturbations of image and region was not "
            "assessed."
        )
    rule = robustness.icc
    paper = (
        f"Robustness of features was assessed by perturbing the prepared image and the region of "
        f'"{results.table.readers[0]}" (after '
        "Zwanenburg et al., Sci Rep 2019;9:614)."
    )
    supplement = sentences(
        "Perturbations were applied before interpolation, and all was measured again.",
        f"Slices, rows and columns were those of the {results.protocol.extraction.plane} plane.",
        _repeats(robustness),
        *[PERTURBATIONS[kind].told(robustness) for kind in robustness.kinds],
        _field(robustness),
        f"Perturbations were drawn for every case separately (seed {robustness.seed}).",
        f"Agreement of the measurement with its perturbations was measured by {_form(rule)}. A "
        f"feature was kept when, on the training cases, {JUDGED[rule.use].told(rule)} exceeded "
        f"{number(rule.threshold)}.",
        _kept(results, "robustness"),
    )
    return Passage(paper, supplement)


def _repeats(settings: RobustnessSettings) -> str:
    if settings.together:
        return (
            f"All kinds of perturbation were applied at once, {counted(settings.repeats, 'time')}."
        )
    return f"Each kind of perturbation was applied alone, {counted(settings.repeats, 'time')}."


def _field(settings: RobustnessSettings) -> str:
    """The field that moves a contour, and decides where a region grows first."""
    jitter = "contour" in settings.kinds and settings.contour == "jitter"
    if not (jitter or "volume" in settings.kinds):
        return ""
    use = "of the contour" if jitter else "that decided between voxels at one distance from it"
    if jitter and "volume" in settings.kinds:
        use = "of the contour and of growth"
    return (
        f"The random field {use} had a correlation length of {number(settings.correlation_mm)} mm."
    )
