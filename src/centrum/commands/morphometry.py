"""The verb `morphometry`: vertebral bodies measured from their masks."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from centrum.cohort.phantom import NOTICE
from centrum.morphometry import COLUMNS, measure_exam, table_row
from centrum.morphometry.exam import Exam


def measure_bodies(
    mask: str,
    image: str | None = None,
    *,
    level: str | None = None,
    labels: str | None = None,
    fractured: Sequence[str] = (),
    orientation: str | None = None,
    figure: Path | None = None,
) -> Exam:
    """The bodies of a mask, drawn into `figure` if that is given; see `measure_exam`."""
    exam = measure_exam(
        mask, image, level=level, labels=labels, fractured=fractured, orientation=orientation
    )
    if figure is not None:
        from centrum.report.figures.morphometry import draw_morphometry
        from centrum.report.style import save_figure

        save_figure(draw_morphometry(exam.image, exam.masks, exam.bodies, _mark(exam)), figure)
    return exam


def exam_lines(exam: Exam) -> Iterator[str]:
    """A table of the bodies, with what each is compared with."""
    if mark := _mark(exam):
        yield mark
    for row in (*zip(*COLUMNS, strict=True), *(table_row(*pair) for pair in exam.bodies)):
        name, *numbers, grade = row
        yield f"{name:10}" + "".join(f"{number:>10}" for number in numbers) + f"   {grade}"
    for body, grade in exam.bodies:
        if grade:
            yield "; ".join((f"{body.title}: against {grade.reference}", *grade.notes))


def failure_lines(exam: Exam) -> Iterator[str]:
    """The bodies that have no measures, and why."""
    for name, why in exam.failures:
        yield f"{name} is not measured: {why}"


def _mark(exam: Exam) -> str:
    return NOTICE if exam.simulated else ""
