"""Draw docs/concepts/phantom-cohort.png: `python docs/concepts/phantom_cohort.py`.

Six osteoporotic patients above six malignant ones of the default cohort, each with the
slice through the middle of the fractured body; every second one with the readers' outlines.
"""

from itertools import islice
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from PIL import Image

from centrum.simulate import PhantomSettings, SimulatedPatient, draw_readers, plan_cohort, render
from centrum.simulate.render import READING

TARGET = Path(__file__).with_name("phantom-cohort.png")
COLUMNS, COLOURS = 6, ("#ff5a36", "#34c3ff")


def main() -> None:
    settings = PhantomSettings()
    patients = plan_cohort(settings)
    figure, axes = plt.subplots(2, COLUMNS, figsize=(13.2, 5.9), facecolor="black")
    for row, outcome in zip(axes, ("osteoporotic", "malignant"), strict=True):
        chosen = (p for p in patients if p.person.outcome == outcome)
        for k, (ax, patient) in enumerate(zip(row, islice(chosen, 2, None), strict=False)):
            draw(ax, patient, settings, outlines=k % 2 == 1)
    figure.subplots_adjust(0.004, 0.004, 0.996, 0.955, wspace=0.02, hspace=0.10)
    figure.savefig(TARGET, dpi=100, facecolor="black")
    few = Image.open(TARGET).convert("RGB").quantize(palette=palette(), dither=Image.Dither.NONE)
    few.save(TARGET, optimize=True)


def palette() -> Image.Image:
    """Greys, and the two colours of the outlines: a small file."""
    colours = [(k, k, k) for k in np.linspace(0, 255, 62).astype(int).tolist()]
    colours += [tuple(bytes.fromhex(colour[1:])) for colour in COLOURS]
    image = Image.new("P", (1, 1))
    image.putpalette([channel for colour in colours for channel in colour])
    return image


def draw(ax: Axes, patient: SimulatedPatient, settings: PhantomSettings, *, outlines: bool) -> None:
    image, truth = render(patient, settings)
    middle = int(np.flatnonzero(truth.array.any(axis=(1, 2))).mean())
    brightest = np.percentile(image.array, 98.0)
    ax.imshow(image.array[middle], cmap="gray", vmin=0, vmax=brightest, interpolation="bicubic")
    if outlines:
        masks = draw_readers(truth, patient.generator(settings, READING)).values()
        for mask, colour in zip(masks, COLOURS, strict=True):
            ax.contour(mask.array[middle], [0.5], colors=colour, linewidths=0.9)
    ax.set_title(f"{patient.level} {patient.person.outcome}", color="white", fontsize=9, pad=3)
    ax.axis("off")


if __name__ == "__main__":
    main()
