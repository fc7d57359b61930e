"""Draw secondary-capture.png: the page of one patient of `centrum demo --small FOLDER`.

python docs/how-to/secondary_capture.py FOLDER
"""

import sys
from pathlib import Path

from centrum.commands.score import patients_of, read_new_cases
from centrum.frozen.model import read_model
from centrum.frozen.score import as_written, score_and_see
from centrum.pacs.objects import PAGE_DPI
from centrum.report.overlay import region_view
from centrum.report.sheet import draw_sheet
from centrum.report.style import rgb_picture

PICTURE = Path(__file__).with_name("secondary-capture.png")


def main(folder: Path) -> None:
    """The first patient of the demo's cohort, scored by the demo's model."""
    model = read_model(folder / "results" / "model.json")
    patient = patients_of(model, read_new_cases(folder, model))[0]
    score, seen = score_and_see(model, patient)
    assert seen is not None
    view = region_view(seen.volume, seen.mask, seen.regions).view
    sheet = draw_sheet(model, as_written(model, patient, score), view)
    rgb_picture(sheet, PAGE_DPI).quantize(64).save(PICTURE, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
