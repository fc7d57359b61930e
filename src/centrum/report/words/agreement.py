"""Words for the reproducibility of features: between readers, and under perturbations."""

from collections.abc import Callable, Mapping

from centrum.agreement import IccForm, parse_form
from centrum.modelling.settings import AgreementSettings, RobustnessRule
from centrum.perturb.contour import SURELY_IN, SURELY_OUT
from centrum.perturb.settings import RobustnessSettings
from centrum.report.words.word import Wording, always, complete
from centrum.text import listed, number, percent

FORMS = complete(
    __name__,
    ("model.agreement.form", "robustness.icc.form"),
    {
        IccForm.ONE_WAY_SINGLE: "one-way random effects, single measurement",
        IccForm.ONE_WAY_AVERAGE: "one-way random effects, mean of the measurements",
        IccForm.CONSISTENCY_SINGLE: "two-way, consistency, single measurement; ICC(3,1) of Shrout "
        "and Fleiss",
        IccForm.CONSISTENCY_AVERAGE: "two-way, consistency, mean of the measurements; ICC(3,k) of "
        "Shrout and Fleiss",
        IccForm.AGREEMENT_SINGLE: "two-way random effects, absolute agreement, single measurement; "
        "ICC(2,1) of Shrout and Fleiss",
        IccForm.AGREEMENT_AVERAGE: "two-way random effects, absolute agreement, mean of the "
        "measurements; ICC(2,k) of Shrout and Fleiss",
    },
    choices=IccForm,
)

JUDGED = complete(
    __name__,
    ("model.agreement.use", "robustness.icc.use"),
    {
        "estimate": Wording("", always("its value")),
        "lower_bound": Wording(
            "lower 95 % limit of ", always("the lower limit of its 95 % confidence interval")
        ),
    },
)
"""What must exceed the threshold."""


def icc_label(rule: AgreementSettings | RobustnessRule) -> str:
    """The coefficient of a rule.

    >>> icc_label(AgreementSettings(form="ICC(2,1)"))
    'ICC(A,1)'
    """
    return f"ICC({parse_form(rule.form)})"


def rule_label(rule: AgreementSettings | RobustnessRule) -> str:
    """A rule on the coefficient.

    >>> rule_label(AgreementSettings()), rule_label(AgreementSettings(use="lower_bound"))
    ('ICC(A,1) > 0.75', 'lower 95 % limit of ICC(A,1) > 0.75')
    """
    return f"{JUDGED[rule.use].label}{icc_label(rule)} > {number(rule.threshold)}"


# Perturbations


def _noise(settings: RobustnessSettings) -> str:
    return (
        f"Gaussian noise of {number(settings.noise)} times the SD of the noise of the image "
        "(estimated from the finest wavelet details) was added to the region and what lies around "
        "it."
    )


def _translation(settings: RobustnessSettings) -> str:
    axes = ["rows", "columns", *(["slices"] if settings.through_plane else [])]
    return (
        f"Image and region were shifted along {listed(axes)} by up to "
        f"{number(settings.translation)} voxels."
    )


def _rotation(settings: RobustnessSettings) -> str:
    return (
        "Image and region were turned about the normal of the slices by up to "
        f"{number(settings.rotation)}°."
    )


def _volume(settings: RobustnessSettings) -> str:
    return f"The region grew or shrank by up to {percent(settings.volume)} of its volume."


def _supervoxel(settings: RobustnessSettings) -> str:
    return (
        "The contour was randomised by supervoxels with an edge of "
        f"{number(settings.supervoxel_mm)} mm within the slice, which belonged to the region with "
        f"the probability of their share in it (from {number(SURELY_IN)} on always, below "
        f"{number(SURELY_OUT)} never)."
    )


def _jitter(settings: RobustnessSettings) -> str:
    return f"The contour was moved by a random field with an SD of {number(settings.jitter_mm)} mm."


def _contour(settings: RobustnessSettings) -> str:
    return CONTOURS[settings.contour](settings)


CONTOURS: Mapping[str, Callable[[RobustnessSettings], str]] = complete(
    __name__, ("robustness.contour",), {"supervoxel": _supervoxel, "jitter": _jitter}
)

PERTURBATIONS: Mapping[str, Wording[RobustnessSettings]] = complete(
    __name__,
    ("robustness.kinds",),
    {
        "noise": Wording("noise", _noise),
        "translation": Wording("translation", _translation),
        "rotation": Wording("rotation", _rotation),
        "volume": Wording("volume", _volume),
        "contour": Wording("contour", _contour),
    },
)
