"""What the user chooses of a phantom cohort."""

from dataclasses import dataclass

from centrum.errors import ProtocolError
from centrum.simulate.acquisition import CENTRES


@dataclass(frozen=True)
class PhantomSettings:
    """Size and difficulty of a phantom cohort.

    Attributes
    ----------
    n_malignant, n_osteoporotic : patients; levels, sexes and tumours keep the proportions of
        the published study, which the defaults equal
    cue : 0 to 1, how strongly all imaging signs follow the outcome
    centre : "A", the protocol of the published study, or "B", another scanner
    null : labels are permuted after the images were planned, so that there is nothing to learn
    seed : same seed, same bytes
    field_mm : height (head to foot) and depth (front to back) of the images
    above : whether readers also draw the body above, as a second region

    Raises
    ------
    ProtocolError
        A number is out of its range or the centre is unknown.

    >>> PhantomSettings(n_malignant=6, n_osteoporotic=5).cue
    0.7
    """

    n_malignant: int = 51
    n_osteoporotic: int = 49
    cue: float = 0.7
    centre: str = "A"
    null: bool = False
    seed: int = 1
    field_mm: tuple[float, float] = (170.0, 144.0)
    above: bool = False

    def __post_init__(self) -> None:
        checks = {
            "n_malignant": (self.n_malignant >= 0, "0 or more"),
            "n_osteoporotic": (self.n_osteoporotic >= 0, "0 or more"),
            "cue": (0 <= self.cue <= 1, "a number from 0 to 1"),
            "centre": (self.centre in CENTRES, f"one of {', '.join(CENTRES)}"),
            "seed": (self.seed >= 0, "0 or more"),
            "field_mm": (min(self.field_mm) >= 110, "at least 110 mm each way"),
        }
        for name, (holds, wanted) in checks.items():
            if not holds:
                raise ProtocolError(
                    f"Phantom cohort: {name} must be {wanted}, found {getattr(self, name)!r}."
                )
