"""The command line: each command is a thin call of a verb in `centrum.commands`."""

import gc
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from centrum.errors import (
    NO_SPACE,
    TRACEBACK,
    CentrumError,
    ProtocolError,
    describe,
    kind_of,
    show_traceback,
)
from centrum.execution import default_workers, look_seldom
from centrum.provenance import __version__
from centrum.text import one_line, one_line_each

if TYPE_CHECKING:
    from centrum.commands.dicom_out import DicomOut
    from centrum.commands.problems import Problems
    from centrum.commands.read import RoomChoices
    from centrum.commands.run import Extraction
    from centrum.commands.study import Study
    from centrum.execution import Progress

OK, CASES_FAILED, BAD_INPUT, FAULT, STOPPED, TERMINATED = 0, 1, 2, 3, 130, 143

WIDEST = 120
"""Columns that lines are wrapped to at most."""

BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""One thread each unless the user says otherwise: the matrices are small, waiting threads
burn a processor, and sums do not depend on how many there are."""

app = typer.Typer(
    help="Radiomics studies of vertebral compression fractures, from images to a report.\n\n"
    "Research use only: not a medical device.",
    epilog="Exit codes: 0 all is well; 1 finished, but some cases failed; 2 bad input, or disk or "
    "memory do not suffice; 3 a fault of centrum itself; 130 stopped by Ctrl-C; 143 ended by the "
    "system (SIGTERM).",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)

StudyFolder = Annotated[
    Path, typer.Argument(metavar="STUDY", help="folder with study.yaml and cases.csv")
]
Workers = Annotated[
    int,
    typer.Option(
        min=0,
        callback=lambda n: n or default_workers(),
        help="processes; 0 is one for each processor of this machine",
    ),
]
MinShare = Annotated[
    float | None,
    typer.Option(min=0, max=1, help="share of a table's rows that must match; 0.9 when missing"),
]
Labels = Annotated[
    str | None, typer.Option(help="scheme of the labels' numbers, such as verse or spineps")
]
ShardsUrl = Annotated[
    str | None,
    typer.Option(metavar="URL", help="place in object storage for what is measured: s3://..."),
]
Json = Annotated[bool, typer.Option("--json", help="print JSON for scripts")]


class _Stopped(Exception):
    """The user stopped what was shown as progress; the text says what is kept."""


class _Terminated(KeyboardInterrupt):
    """Something else than the user stopped it, such as the queue of a cluster."""


def _terminate(*_: object) -> None:
    raise _Terminated


def main() -> None:
    """Run the command line; what goes wrong ends with one message and its exit code."""
    look_seldom()
    for name in BLAS_THREADS:
        os.environ.setdefault(name, "1")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a letter that the console lacks is shown by number
            stream.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, _terminate)
    # The flag may stand anywhere.
    sys.argv[1:] = sorted(sys.argv[1:], key=lambda word: word != "--traceback")
    try:
        app()
    except _Stopped as stop:
        _say(f"Stopped. {stop} The same command goes on from there.")
        sys.exit(TERMINATED if isinstance(stop.__cause__, _Terminated) else STOPPED)
    except Exception as error:
        told, code = _ending(error)
        _say(f"Error: {describe(told)}")
        show_traceback(error)
        if "--json" in sys.argv:
            from centrum.commands.problems import Problems

            _print_json(Problems.of_error(told))
        sys.exit(code)
    finally:
        gc.freeze()  # nothing is left to be collected at the end, which would take 0.2 s


def _ending(error: Exception) -> tuple[CentrumError, int]:
    """What to say of an error that nobody has caught, and the exit code."""
    if isinstance(error, CentrumError):
        return error, BAD_INPUT
    if isinstance(error, OSError):
        name = Path(str(error.filename or "")).name
        text = f"{error.strerror or error}{f': {name}' if name else ''}."
        remedy = "Look at the file, the folder and the disk."
        if error.errno in NO_SPACE:
            remedy = "Make room, and run the same command again: it goes on from what is kept."
        elif isinstance(error, PermissionError):
            remedy = "Allow it to be read and written, and close it in other programs."
        return CentrumError(text, remedy=remedy, code="system", file=name), BAD_INPUT
    if isinstance(error, MemoryError):
        remedy = "Run the same command again with fewer --workers, or on a larger machine."
        return CentrumError("Memory is wanting.", remedy=remedy, code="memory"), BAD_INPUT
    text = f"This is a fault of centrum: {kind_of(error)}."
    return CentrumError(text, remedy="--traceback shows where.", code="fault"), FAULT


def _say(text: str) -> None:
    print(text, file=sys.stderr)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="print the version")] = False,
    traceback: Annotated[
        bool,
        typer.Option(
            "--traceback",
            envvar=TRACEBACK,
            help="print where unexpected errors happen; can hold names of files and patients",
        ),
    ] = False,
) -> None:
    if traceback:
        os.environ[TRACEBACK] = "1"
    if version:
        print(f"centrum {__version__}")
        raise typer.Exit


@contextmanager
def _own_words() -> Iterator[None]:
    """Keep what the library of the command line would end with words of its own from it."""
    try:
        yield
    except KeyboardInterrupt as stop:
        raise _Stopped("Nothing is lost.") from stop
    except EOFError as error:
        raise RuntimeError(kind_of(error)) from error


def _examples(examples: str) -> str:
    lines = "\n".join(f"  {line}" for line in examples.splitlines())
    return f"\b\nExamples:\n{lines}"


def _command(
    examples: str, name: str | None = None, to: typer.Typer = app
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A command whose help ends with examples; called as the function when it has no name."""
    register = to.command(name, epilog=_examples(examples))
    return lambda function: register(_own_words()(function))


@_command("centrum demo\ncentrum demo --small\ncentrum demo my-demo --cue 0.5")
def demo(
    folder: Annotated[Path, typer.Argument(help="where to put it")] = Path("demo"),
    small: Annotated[
        bool, typer.Option("--small", help="24 patients: whether all works, in a third of the time")
    ] = False,
    cue: Annotated[float, typer.Option(min=0, max=1, help="how different the groups look")] = 0.7,
    seed: Annotated[int, typer.Option(help="of the simulation")] = 1,
    workers: Workers = 0,
) -> None:
    """Simulate the study's 100 patients, run the whole study, score three new patients."""
    from centrum.commands.console import evaluation_lines, extraction_lines
    from centrum.commands.demo import SMALL, PhantomSettings, run_demo
    from centrum.commands.score import score_lines

    settings = PhantomSettings(cue=cue, seed=seed)
    if small:
        settings = replace(settings, n_malignant=SMALL, n_osteoporotic=SMALL)
    with _progress() as progress:
        done = run_demo(folder, settings, workers=workers, progress=progress)
    _print(extraction_lines(done.extraction, _width()))
    _print(evaluation_lines(True, done.evaluations))
    _print(score_lines(done.scores))
    _print(done.manuscript)
    _print(f"{what}: {place}" for what, place in done.places.items())
    raise typer.Exit(CASES_FAILED if done.extraction.failures else OK)


@_command(
    "centrum simulate phantom\n"
    "centrum simulate second-centre --centre B --seed 2\n"
    "centrum simulate null-cohort --null"
)
def simulate(
    folder: Annotated[Path, typer.Argument(help="new study folder")],
    cue: Annotated[float, typer.Option(min=0, max=1, help="how different the groups look")] = 0.7,
    seed: Annotated[int, typer.Option(help="of everything that is random")] = 1,
    centre: Annotated[str, typer.Option(help="A, the study's scanner, or B, another")] = "A",
    null: Annotated[bool, typer.Option("--null", help="outcome unrelated to the images")] = False,
    malignant: Annotated[int, typer.Option(min=1, help="malignant fractures")] = 51,
    osteoporotic: Annotated[int, typer.Option(min=1, help="osteoporotic fractures")] = 49,
    above: Annotated[
        bool, typer.Option("--above", help="also masks of the body above, as a second region")
    ] = False,
    preset: Annotated[str, typer.Option(help="protocol of the study")] = "vcf-t2w",
    workers: Workers = 0,
) -> None:
    """Write a phantom cohort as a user's data would lie on disk."""
    from centrum.commands import begin

    settings = begin.PhantomSettings(malignant, osteoporotic, cue, centre, null, seed, above=above)
    with _progress() as progress:
        begin.simulate(folder, settings, preset=preset, workers=workers, progress=progress)
    print(f"Simulated patients are in {folder}. Next: centrum run {folder}")


@_command(
    "centrum size --prevalence 0.5 --auc 0.85 --parameters 10 --icc 0.8\n"
    "centrum size --prevalence 0.2 --auc 0.8 --threshold 0.1 --auc-width 0.15\n"
    "centrum size --icc 0.85 --readers 3 --icc-width 0.1 --json"
)
def size(
    prevalence: Annotated[
        float | None, typer.Option(help="share of cases with the positive outcome")
    ] = None,
    auc: Annotated[float | None, typer.Option(help="that the model is expected to have")] = None,
    parameters: Annotated[
        int | None, typer.Option(help="candidate features of a model to be developed")
    ] = None,
    shrinkage: Annotated[float, typer.Option(help="of its coefficients, at least")] = 0.9,
    threshold: Annotated[
        float | None, typer.Option(help="probability from which on one would act: net benefit")
    ] = None,
    oe_width: Annotated[float, typer.Option(help="of the interval of observed / expected")] = 0.2,
    slope_width: Annotated[float, typer.Option(help="of that of the calibration slope")] = 0.2,
    auc_width: Annotated[float, typer.Option(help="of that of the AUC")] = 0.1,
    benefit_width: Annotated[
        float, typer.Option(help="of that of the standardised net benefit")
    ] = 0.2,
    icc: Annotated[float | None, typer.Option(help="that readers are expected to reach")] = None,
    readers: Annotated[int, typer.Option(help="who read every case")] = 2,
    icc_width: Annotated[float, typer.Option(help="of the interval of the ICC")] = 0.2,
    json_: Json = False,
) -> None:
    """How many cases a study needs, with a text for its protocol or an ethics application.

    To develop a model (Riley 2019, with --parameters), to validate one (Riley 2021), and to know
    how well readers agree (Bonett 2002, with --icc). All intervals are of 95 %.
    """
    from centrum.commands.size import SizeChoices, sizes

    found = sizes(SizeChoices(
        prevalence=prevalence, auc=auc, parameters=parameters, shrinkage=shrinkage,
        threshold=threshold, oe_width=oe_width, slope_width=slope_width, auc_width=auc_width,
        benefit_width=benefit_width, icc=icc, readers=readers, icc_width=icc_width,
    ))  # fmt: skip
    if json_:
        _print_json(found)
    else:
        _print(found.lines(_width()))


@_command(
    "centrum init ~/mri\n"
    "centrum init ~/mri my-study --preset vcf-t2w-2024\n"
    "centrum init ~/mri --labels spineps --region whole_vertebra\n"
    "centrum init ~/mri --image 'images/{case}_{sequence}.nii.gz' --sequence T1w\n"
    "centrum init ~/mri --image '{case}/T2w.nii.gz' --mask '{case}/roi_{reader}.seg.nrrd'\n"
    "centrum init ~/archive my-study --series 'T2*sag*' --readers description\n"
    "centrum init ~/mri --table clinic.xlsx --outcome-column Diagnose --positive Metastase"
)
def init(
    images: Annotated[
        Path, typer.Argument(metavar="IMAGES_DIR", help="where images and masks lie")
    ],
    folder: Annotated[
        Path | None, typer.Argument(metavar="[STUDY]", help="study folder; default: IMAGES_DIR")
    ] = None,
    image: Annotated[str | None, typer.Option(help="pattern of image files, with {case}")] = None,
    mask: Annotated[
        str | None, typer.Option(help="pattern of mask files, with {case} and {reader}")
    ] = None,
    labels: Labels = None,
    region: Annotated[
        str | None, typer.Option(help="what masks hold: vertebral_body or whole_vertebra")
    ] = None,
    sequence: Annotated[
        str | None, typer.Option(help="to be measured, such as T2w; default: that of the preset")
    ] = None,
    series: Annotated[
        str | None,
        typer.Option(help="of DICOM: series to be measured, as 'T2*sag*' (description, number...)"),
    ] = None,
    segmentations: Annotated[
        str | None, typer.Option(help="of DICOM: masks that are taken, by description or path")
    ] = None,
    readers: Annotated[
        str | None,
        typer.Option(help="of DICOM: who drew a mask, by creator, description or folder"),
    ] = None,
    table: Annotated[
        Path | None, typer.Option(help="clinical table (CSV, XLSX, ODS) with ids as in the folder")
    ] = None,
    outcome_column: Annotated[str | None, typer.Option(help="its column with the outcome")] = None,
    positive: Annotated[
        list[str] | None, typer.Option(help="its word for the positive outcome; several if need be")
    ] = None,
    negative: Annotated[list[str] | None, typer.Option(help="its word for the other one")] = None,
    id_column: Annotated[
        str | None, typer.Option(help="its column with the ids of patients or cases")
    ] = None,
    min_share: MinShare = None,
    preset: Annotated[str, typer.Option(help="protocol to start from")] = "vcf-t2w",
    keep_names: Annotated[
        bool, typer.Option("--keep-names", help="no pseudonyms for names that are no codes")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="write nothing")] = False,
) -> None:
    """Write cases.csv and study.yaml for a folder of images, and say what did not match."""
    from centrum.commands import begin

    study = folder or images
    said = (outcome_column, positive, negative, id_column, min_share)
    if table is None and any(value is not None for value in said):
        raise ProtocolError(
            "--outcome-column, --positive, --negative, --id-column and --min-share are about a "
            "clinical table, and none is given.",
            remedy="Add --table FILE.",
            code="no-table",
        )
    clinical = None
    if table is not None:
        words = tuple(positive or ()), tuple(negative or ())
        clinical = begin.ClinicalTable(table, outcome_column, *words, id_column)
        if min_share is not None:
            clinical = replace(clinical, min_share=min_share)
    with _progress(kept=False) as progress:
        told = begin.init(
            images, study, image=image, mask=mask, labels=labels, region=region, sequence=sequence,
            series=series, segmentations=segmentations, readers=readers, table=clinical,
            preset=preset, keep_names=keep_names, dry_run=dry_run, progress=progress,
        )  # fmt: skip
    _print(told)
    if not dry_run:
        filled = "Look at" if table else "Fill in outcome (and age, sex, centre) in"
        print(f"{filled} {study / 'cases.csv'}, then:")
        print(f"  centrum check {study}\n  centrum run {study}")


@_command(
    "centrum import pyradiomics.csv my-study\n"
    "centrum import senior.csv resident.csv my-study --reader senior --reader resident\n"
    "centrum import radiomics.xlsx my-study --positive 1 --negative 0 --dry-run",
    "import",
)
def import_(
    places: Annotated[
        list[Path], typer.Argument(metavar="TABLE... STUDY", help="tables, and the new study")
    ],
    reader: Annotated[
        list[str] | None, typer.Option(help="name of a table's reader; one for each table")
    ] = None,
    cases: Annotated[
        Path | None, typer.Option(help="manifest with the outcomes; else from the first table")
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", help="auto, pyradiomics, slicer, mirp, lifex or generic")
    ] = "auto",
    id_column: Annotated[str | None, typer.Option(help="column that names the case")] = None,
    positive: Annotated[str | None, typer.Option(help="positive outcome as in the table")] = None,
    negative: Annotated[str | None, typer.Option(help="the other outcome")] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(
            help="column that looks like a running number, id, date or constant, and is a feature"
        ),
    ] = None,
    min_share: MinShare = None,
    preset: Annotated[str, typer.Option(help="protocol to start from")] = "vcf-t2w",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="write nothing")] = False,
) -> None:
    """Begin a study from feature tables made elsewhere, without images; two are two readers."""
    from centrum.commands.tables import import_tables

    *tables, folder = places
    if not tables or (positive is None) != (negative is None):
        raise ProtocolError(
            "Give tables and then a study folder; --positive and --negative go together."
        )
    _print(import_tables(
        tables, folder, readers=reader or (), cases=cases, format=format_, id_column=id_column,
        outcomes=(positive, negative) if positive and negative else None, keep=keep or (),
        min_share=min_share, preset=preset, dry_run=dry_run,
    ))  # fmt: skip
    if not dry_run:
        print(f"Look at {folder / 'cases.csv'}, fill in what is empty, then: centrum run {folder}")


@_command(
    "centrum export my-study --format slicer\n"
    "centrum export my-study --out tables\n"
    "centrum export my-study --format site --out berlin"
)
def export(
    folder: StudyFolder,
    format_: Annotated[
        str, typer.Option("--format", help="pyradiomics, slicer, or site (for `gather`)")
    ] = "pyradiomics",
    out: Annotated[Path, typer.Option(help="folder for the tables")] = Path("exported"),
) -> None:
    """Write a study's features as PyRadiomics or 3D Slicer would, a table per reader."""
    from centrum.commands import study as verbs

    if format_ == "site":
        from centrum.commands.sites import export_site, signed_by

        _print(map(str, export_site(_open(folder), out)))
        print(f"Signed by {signed_by(out)}: tell this to whoever gathers, by another way.")
        return

    _print(map(str, verbs.export(_open(folder), out, format_)))


@_command(
    "centrum export-masks my-study\n"
    "centrum export-masks my-study --format dicom --out for-the-archive"
)
def export_masks(
    folder: StudyFolder,
    format_: Annotated[
        str, typer.Option("--format", help="seg.nrrd, nii.gz, nii or dicom (DICOM SEG)")
    ] = "seg.nrrd",
    out: Annotated[Path, typer.Option(help="folder for the masks")] = Path("masks"),
) -> None:
    """Write what readers drew for other programs, on the grid of the image.

    Exit code 1 when a mask could not be exported.
    """
    from centrum.commands.export_masks import export_masks as exported

    with _progress() as progress:
        done = exported(_open(folder), out, format_, progress)
    _print(done.lines(out))
    raise typer.Exit(CASES_FAILED if done.without else OK)


@_command("centrum check my-study\ncentrum check my-study --json > findings.json")
def check(folder: StudyFolder, workers: Workers = 0, json_: Json = False) -> None:
    """Read protocol, manifest, images and masks and say all that is wrong, without measuring.

    Exit code 1 when something would stop a run or a case cannot be measured.
    """
    from centrum.commands.check import check_study

    with _progress() as progress:
        problems = check_study(folder, workers=workers, progress=progress)
    _print_problems(problems, as_json=json_)
    raise typer.Exit(CASES_FAILED if problems.stops or problems.failures else OK)


def _print_problems(problems: "Problems", *, as_json: bool) -> None:
    if as_json:
        _print_json(problems)
        return
    _print(problems.lines(_width()))
    print(f"{problems.measurable} of {problems.cases} cases can be measured.")


def _width() -> int:
    """Columns of the screen; a wide one is not filled, since long lines are hard to read."""
    return min(shutil.get_terminal_size().columns, WIDEST)


@_command(
    "centrum plan my-study --cases 120 --basis 'Riley 2021: AUC 0.85 within 0.15'\n"
    "centrum plan my-study --cases 200 --primary sensitivity"
)
def plan(
    folder: StudyFolder,
    cases: Annotated[int, typer.Option(help="how many cases are to be analysed; see `size`")],
    primary: Annotated[
        str, typer.Option(help="measure of the test cases that the study is judged by")
    ] = "auc",
    basis: Annotated[str, typer.Option(help="why so many cases, in a few words")] = "",
    json_: Json = False,
) -> None:
    """Write down all choices of the protocol, dated, before the outcomes are looked at: plan.json.

    The outcomes of the manifest are not read. The report and the methods then say whether the run
    followed the plan, choice by choice. Where results of a fit are there already, the plan is
    marked as written after the outcomes.
    """
    from centrum.commands.plan import plan_study

    done = plan_study(folder, primary=primary, cases=cases, basis=one_line(basis))
    if json_:
        _print_json(done.record)
    else:
        _print(done.lines())


@_command("centrum run my-study\ncentrum run my-study --workers 4\ncentrum run my-study --dry-run")
def run(
    folder: StudyFolder,
    workers: Workers = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be done")] = False,
    json_: Json = False,
) -> None:
    """Measure, agree, fit, evaluate and report; only what a change touches is done again."""
    if dry_run:
        from centrum.commands.check import foresee_run

        problems, lines = foresee_run(folder)
        _print_problems(problems, as_json=json_)
        _print(() if json_ else lines)
        raise typer.Exit(CASES_FAILED if problems.stops or problems.failures else OK)
    _run(folder, workers, as_json=json_)


def _run(folder: Path, workers: int, *, as_json: bool) -> None:
    from centrum.commands.console import evaluation_lines, extraction_lines, key_lines
    from centrum.commands.run import load_area_over_parts, load_evaluations, open_to_run, run

    study = _telling_where_images_go(open_to_run(folder))
    with _progress() as progress:
        extraction, page = run(study, workers=workers, progress=progress)
    evaluations, over_parts = load_evaluations(study), load_area_over_parts(study)
    if as_json:
        areas = {name: evaluation["auc"]["value"] for name, evaluation in evaluations.items()}
        if over_parts is not None:
            areas["over_parts"] = over_parts["mean"]
        cutoff = evaluations["test"]["cutoff"]["value"]
        _print_json({"report": str(page), "cutoff": cutoff, "auc": areas,
                     **_noticed(extraction.failures, extraction.findings)})  # fmt: skip
    else:
        _print(extraction_lines(extraction, _width()))
        _print(evaluation_lines(extraction.simulated, evaluations, over_parts))
        _print(key_lines(study.cohort))
        print(f"Report: {page}")
    raise typer.Exit(CASES_FAILED if extraction.failures else OK)


@_command(
    "centrum extract my-study\n"
    "centrum extract my-study --workers 8\n"
    "centrum extract my-study --shard 17/400 --workers 1\n"
    "centrum extract my-study --dask tls://10.0.0.5:8786\n"
    "centrum extract my-study --slurm cluster.yaml\n"
    "centrum extract my-study --shard 17/400 --shards s3://consortium/my-study/shards"
)
def extract(
    folder: StudyFolder,
    workers: Workers = 0,
    shard: Annotated[
        str | None,
        typer.Option(metavar="I/N", help="measure the I-th of N shares alone, for `gather`"),
    ] = None,
    dask: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="scheduler whose workers measure")
    ] = None,
    slurm: Annotated[
        Path | None, typer.Option(metavar="PROFILE", help="YAML file: what to ask SLURM for")
    ] = None,
    shards: ShardsUrl = None,
    json_: Json = False,
) -> None:
    """Measure every case and reader; writes results/features.parquet, .csv if it is not large."""
    if sum(option is not None for option in (shard, dask, slurm)) > 1:
        raise ProtocolError("Give one of --shard, --dask and --slurm.")
    if shard is not None:
        _extract_share(_open(folder, shards), shard, workers, as_json=json_)
    shared = dask is not None or slurm is not None  # by machines that may stand in another folder
    study = _open(folder.absolute() if shared else folder, shards)
    with _progress() as progress:
        if dask is not None:
            from centrum.commands.shards import extract_on_dask

            extraction = extract_on_dask(study, dask, progress=progress)
        elif slurm is not None:
            from centrum.commands.shards import extract_on_slurm

            extraction = extract_on_slurm(study, slurm, progress=progress)
        else:
            from centrum.commands import study as verbs

            extraction = verbs.extract(study, workers=workers, progress=progress)
    _print_extraction(extraction, as_json=json_)


def _extract_share(study: "Study", text: str, workers: int, *, as_json: bool) -> None:
    from centrum.commands.console import problem_lines
    from centrum.commands.shards import Share, extract_share

    share = Share.parse(text)
    with _progress() as progress:
        done = extract_share(study, share, workers=workers, progress=progress)
    if as_json:
        _print_json({"cases": done.cases, "failures": [vars(f) for f in done.failures]})
    else:
        _print(problem_lines(done.failures, (), _width()))
        print(f"{done.cases - len(done.failures)} of {done.cases} cases of this share measured.")
    raise typer.Exit(CASES_FAILED if done.failures else OK)


@_command(
    "centrum gather my-study\n"
    "centrum gather my-study --shards s3://consortium/my-study/shards\n"
    "centrum gather berlin bern basel --into consortium"
)
def gather(
    folders: Annotated[
        list[Path], typer.Argument(metavar="STUDY | SITE...", help="a study, or several sites")
    ],
    into: Annotated[
        Path | None, typer.Option(metavar="STUDY", help="new study of the tables of the sites")
    ] = None,
    shards: ShardsUrl = None,
    json_: Json = False,
) -> None:
    """Make the table of what `extract --shard` has measured, or a study of the tables of sites.

    Nothing is measured here. A site is what `export --format site` wrote. Exit code 2 when a case
    has not been measured: it says how many, and which; or when sites were not measured alike.
    """
    if into is not None:
        from centrum.commands.sites import gather_sites

        _print(gather_sites(folders, into))
        print(f"Look at {into / 'cases.csv'}, then: centrum run {into}")
        return
    if len(folders) > 1:
        raise ProtocolError("Several sites are gathered into a new study: add --into STUDY.")
    from centrum.commands.shards import gather as gather_shards

    with _progress() as progress:
        extraction = gather_shards(_open(folders[0], shards), progress=progress)
    _print_extraction(extraction, as_json=json_)


def _print_extraction(extraction: "Extraction", *, as_json: bool) -> None:
    from centrum.commands.console import extraction_lines

    if as_json:
        sizes = extraction.table.values.shape
        shape = dict(zip(("cases", "features", "readers"), sizes, strict=True))
        _print_json(shape | _noticed(extraction.failures, extraction.findings))
    else:
        _print(extraction_lines(extraction, _width()))
    raise typer.Exit(CASES_FAILED if extraction.failures else OK)


@_command("centrum agree my-study")
def agree(folder: StudyFolder, json_: Json = False) -> None:
    """Agreement of the readers, feature by feature; writes results/agreement.csv."""
    from centrum.commands import study as verbs
    from centrum.commands.console import agreement_lines

    study = _open(folder)
    table = verbs.agree(study)
    if json_:
        _print_json(json.loads(table.reset_index().to_json(orient="records")))
    else:
        _print(agreement_lines(study))


@_command(
    "centrum perturb my-study\n"
    "centrum perturb my-study --dry-run\n"
    "centrum perturb my-study --workers 8"
)
def perturb(
    folder: StudyFolder,
    workers: Workers = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be done")] = False,
    json_: Json = False,
) -> None:
    """Measure under perturbations of image and region; writes results/robustness.csv."""
    from centrum.commands.console import robustness_lines
    from centrum.commands.perturb import perturb as measure, perturb_outlook

    study = _open(folder)
    if dry_run:
        print(perturb_outlook(study))
        return
    with _progress() as progress:
        robustness = measure(study, workers=workers, progress=progress)
    if json_:
        rows = json.loads(robustness.features.reset_index().to_json(orient="records"))
        _print_json({"features": rows, "failures": [vars(f) for f in robustness.failures]})
    else:
        _print(robustness_lines(robustness))
    raise typer.Exit(CASES_FAILED if robustness.failures else OK)


@_command("centrum fit my-study")
def fit(folder: StudyFolder, json_: Json = False) -> None:
    """Split the patients and fit the model on the training side; writes results/fit.json."""
    from centrum.commands import study as verbs
    from centrum.commands.console import model_lines

    with _progress() as progress:
        model = verbs.fit(_open(folder), progress=progress)
    if json_:
        _print_json(model)
    else:
        _print(model_lines(model))


@_command(
    "centrum internal my-study\n"
    "centrum internal my-study --workers 8\n"
    "centrum internal my-study --json"
)
def internal(folder: StudyFolder, workers: Workers = 0, json_: Json = False) -> None:
    """Internal validation: design, ablation, optimism, leaks; writes results/assessment.json."""
    from centrum.commands import study as verbs
    from centrum.commands.console import internal_lines

    with _progress() as progress:
        validation = verbs.internal(_open(folder), workers=workers, progress=progress)
    if json_:
        _print_json(validation)
    else:
        _print(internal_lines(validation))
    raise typer.Exit(CASES_FAILED if any(part["error"] for part in validation.parts) else OK)


app.command("assess", hidden=True, help="The former name of `internal`.")(internal)


@_command("centrum evaluate my-study\ncentrum evaluate my-study --json")
def evaluate(folder: StudyFolder, json_: Json = False) -> None:
    """Cut-off from the training cases, performance on both sides; writes evaluation.json."""
    from centrum.commands import study as verbs
    from centrum.commands.console import evaluation_lines
    from centrum.commands.run import load_area_over_parts, load_evaluations

    study = _open(folder)
    verbs.evaluate(study)
    evaluations, over_parts = load_evaluations(study), load_area_over_parts(study)
    if json_:
        _print_json({**evaluations, **({} if over_parts is None else {"over_parts": over_parts})})
    else:
        simulated = verbs.load_extraction(study).simulated
        _print(evaluation_lines(simulated, evaluations, over_parts))


@_command("centrum explain my-study\ncentrum explain my-study --json")
def explain(folder: StudyFolder, workers: Workers = 0, json_: Json = False) -> None:
    """Contributions, groups of features, local effects; writes results/explanation.json."""
    from centrum.commands import study as verbs
    from centrum.commands.console import explanation_lines

    with _progress() as progress:
        found = verbs.explain(_open(folder), workers=workers, progress=progress)
    if json_:
        _print_json(found)
    else:
        _print(explanation_lines(found))


@_command("centrum freeze my-study")
def freeze(folder: StudyFolder) -> None:
    """Put all that scores a new patient into one file; writes results/model.json."""
    from centrum.commands import study as verbs
    from centrum.commands.console import frozen_line

    print(frozen_line(verbs.freeze(_open(folder))))


@_command("centrum manuscript my-study\ncentrum manuscript my-study --external validation")
def manuscript(
    folder: StudyFolder,
    external: Annotated[
        Path | None, typer.Option(help="what `centrum validate` left for this study's model")
    ] = None,
    workers: Workers = 0,
) -> None:
    """Write results/manuscript: Word document, figures, methods, checklists, model card."""
    from centrum.commands.manuscript import write_manuscript

    with _progress() as progress:
        told = write_manuscript(
            _open(folder), external=external, workers=workers, progress=progress
        )
    _print(told)


@_command("centrum report my-study")
def report(folder: StudyFolder, workers: Workers = 0) -> None:
    """Write results/report.html with its tables and figures."""
    from centrum.commands import study as verbs

    with _progress() as progress:
        print(verbs.report(_open(folder), workers=workers, progress=progress))


@_command(
    "centrum score model.json --image T2w.nrrd --mask body.seg.nrrd#L1\n"
    "centrum score model.json --image dicom/ --mask roi.seg.nrrd --known age=71 --known sex=F\n"
    "centrum score model.json new-patients --out scored --workers 4\n"
    "centrum score model.json new-patients --prevalence 0.1\n"
    "centrum score model.json new-patients --dicom for-the-archive --send archive.yaml"
)
def score(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="a frozen model, model.json")],
    cohort: Annotated[
        Path | None, typer.Argument(metavar="[COHORT]", help="folder with cases.csv, for many")
    ] = None,
    image: Annotated[str | None, typer.Option(help="the image, for one patient")] = None,
    mask: Annotated[str | None, typer.Option(help="FILE or FILE#SEGMENT: its region")] = None,
    sequence: Annotated[
        list[str] | None, typer.Option(help="NAME=FILE of a further sequence; can be repeated")
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(help="NAME=FILE#SEGMENT of a further region; can be repeated"),
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=FILE: table of a further source of the model, or a pattern such as "
            "'deep=*.csv' of one file per case; can be repeated"
        ),
    ] = None,
    known: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=VALUE, such as age=71, centre=A or field_strength=1.5T; can be repeated"
        ),
    ] = None,
    case: Annotated[str, typer.Option(help="what the patient's files are called")] = "patient",
    reader: Annotated[str | None, typer.Option(help="whose masks, of a cohort")] = None,
    prevalence: Annotated[
        float | None,
        typer.Option(help="of the positive outcome where the patient comes from: numbers for it"),
    ] = None,
    out: Annotated[Path, typer.Option(help="folder for pages and numbers")] = Path("scored"),
    dicom: Annotated[
        Path | None, typer.Option(help="folder for DICOM SEG, SR and pages to give to an archive")
    ] = None,
    labelmap: Annotated[
        bool, typer.Option("--labelmap", help="with --dicom: SEG as LABELMAP, not as BINARY")
    ] = False,
    send: Annotated[
        Path | None,
        typer.Option(metavar="PROFILE", help="archive to which the objects of --dicom are sent"),
    ] = None,
    workers: Workers = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be done")] = False,
    json_: Json = False,
) -> None:
    """Score new patients by a frozen model: a page and a JSON file for each.

    Exit code 1 when a case was refused: its page says why; and with --dicom, when a case has no
    objects, as its image is no DICOM series, or the archive has not got them all.
    """
    if cohort is None:
        gc.disable()  # one patient fits into memory, and imports are a tenth of a second faster
    from centrum.commands import score as scoring
    from centrum.commands.console import key_lines

    if (cohort is None) != (image is not None and mask is not None):
        raise ProtocolError("Give either --image and --mask of one patient, or a COHORT folder.")
    frozen = scoring.read_model(model)
    at = None if prevalence is None else scoring.at_prevalence(frozen, prevalence)
    out_dicom = _dicom_out(dicom, labelmap, send)
    tables = _pairs(source, "source")
    if cohort is None:
        told = scoring.read_known(frozen, one_line_each(_pairs(known, "known")))
        patient = scoring.Patient(
            one_line(case), image or "", mask or "", _pairs(sequence, "sequence"), told,
            regions=_pairs(region, "region"),
        )  # fmt: skip
        one, page = scoring.score_one(frozen, patient, out, out_dicom, at, tables)
        scores, cases = [one], None
    else:
        cases, page = scoring.read_new_cases(cohort, frozen), out / "index.html"
        if dry_run:
            _print(scoring.outlook(frozen, cases, out))
            return
        with _progress() as progress:
            scores = list(scoring.score_cohort(frozen, cases, out, reader=reader,
                                               workers=workers, progress=progress,
                                               dicom=out_dicom, elsewhere=at,
                                               sources=tables))  # fmt: skip
    if out_dicom:
        with _progress() as progress:
            out_dicom.send(progress)
    if json_:
        _print_json([scoring.record_of(frozen, s, at) for s in scores])
    else:
        _print(scoring.score_lines(scores, at))
        _print(key_lines(cases) if cases is not None else ())
        _print(out_dicom.lines() if out_dicom else ())
        print(f"Page: {page}")
    failed = any(s.refused for s in scores) or bool(out_dicom and not out_dicom.complete)
    raise typer.Exit(CASES_FAILED if failed else OK)


def _dicom_out(folder: Path | None, labelmap: bool, send: Path | None) -> "DicomOut | None":
    for option, given in (("--labelmap", labelmap), ("--send", send)):
        if folder is None and given:
            raise ProtocolError(f"{option} is about the objects of --dicom, which is not given.")
    if folder is None:
        return None
    from centrum.commands.dicom_out import DicomOut

    return DicomOut(folder, "LABELMAP" if labelmap else "BINARY", send)


@_command(
    "centrum validate model.json second-centre\n"
    "centrum validate model.json second-centre --compare other/results/model.json --workers 4"
)
def validate(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="a frozen model, model.json")],
    cohort: Annotated[
        Path, typer.Argument(metavar="COHORT", help="folder with cases.csv, or a study of tables")
    ],
    compare: Annotated[
        list[Path] | None, typer.Option(help="another model for the same patients; can be repeated")
    ] = None,
    reader: Annotated[str | None, typer.Option(help="whose masks")] = None,
    out: Annotated[Path, typer.Option(help="folder for the report")] = Path("validation"),
    workers: Workers = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be done")] = False,
    json_: Json = False,
) -> None:
    """Evaluate a frozen model on other patients: discrimination, calibration, drift; a report.

    Exit code 1 when a case was refused.
    """
    from centrum.commands.console import external_lines
    from centrum.commands.validate import outlook, read_model, validate_model

    frozen = read_model(model)
    if dry_run:
        _print(outlook(frozen, cohort, out))
        return
    others = {_name_of(path): read_model(path) for path in compare or ()}
    with _progress() as progress:
        external = validate_model(
            frozen, cohort, out, others=others, reader=reader, workers=workers, progress=progress
        )
    if json_:
        _print_json(external)
    else:
        _print(external_lines(external))
        print(f"Report: {out / 'report.html'}")
    raise typer.Exit(CASES_FAILED if external.refused else OK)


def _name_of(path: Path) -> str:
    """What a model is called beside others: the folder of its study."""
    return path.parent.parent.name if path.parent.name == "results" else path.stem


def _pairs(given: list[str] | None, option: str) -> dict[str, str]:
    """NAME=VALUE texts as a dictionary."""
    if strange := [text for text in given or () if "=" not in text]:
        raise ProtocolError(f"--{option} takes NAME=VALUE, found {strange[0]!r}.")
    return dict(text.split("=", 1) for text in given or ())


@_command(
    "centrum decode Contrast.5\n"
    "centrum decode Minimum.9 --settings original+wavelet --settings original+log:1,2+wavelet"
)
def decode(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="such as Contrast.5")],
    settings: Annotated[
        list[str] | None,
        typer.Option(help="images that were measured, such as original+log:1,2,3+wavelet"),
    ] = None,
    json_: Json = False,
) -> None:
    """List every full feature name that a printed one can stand for, and why."""
    from centrum.commands.signature import decode as decoded

    explained = decoded(names, settings or ())
    if json_:
        _print_json([{"name": d.printed, "candidates": list(d.names),
                      "reasoning": list(d.reasoning)} for d in explained])  # fmt: skip
        return
    for d in explained:
        print(f"{d.printed}: {len(d.names)} possible full names")
        for name in d.names:
            print(f"  {name}")
        for line in d.reasoning:
            print(f"    {line}")


@_command(
    "centrum signature vcf-t2w-2024 my-study\ncentrum signature score.yaml my-study --out scored"
)
def signature(
    name: Annotated[str, typer.Argument(metavar="SIGNATURE", help="a shipped one, or a YAML file")],
    folder: StudyFolder,
    out: Annotated[Path | None, typer.Option(help="folder for scores and readings")] = None,
    json_: Json = False,
) -> None:
    """Score a study's cases by a published signature, under every reading of its names."""
    from centrum.commands.console import signature_lines
    from centrum.commands.signature import evaluate_readings, find_signature

    evaluated = evaluate_readings(_open(folder), find_signature(name), out)
    if json_:
        _print_json(evaluated)
    else:
        _print(signature_lines(evaluated))


@_command("centrum features\ncentrum features --dialect pyradiomics --json")
def features(
    dialect: Annotated[str, typer.Option(help="ibsi or pyradiomics")] = "ibsi",
    json_: Json = False,
) -> None:
    """List the features that can be measured: code, family, name, unit."""
    from centrum.commands import begin

    rows = begin.features(dialect)
    if json_:
        _print_json(rows)
        return
    for row in rows:
        spelling = row["pyradiomics"] if dialect == "pyradiomics" else row["code"]
        print(f"{spelling:40} {row['family']:12} {row['name']} [{row['unit']}]".strip())


@_command(
    "centrum measure T2w.nrrd body.seg.nrrd#L1\n"
    "centrum measure image.nii.gz mask.nii.gz --settings Params.yaml --out features.csv\n"
    "centrum measure image.nii.gz mask.nii.gz --label 2 --json\n"
    "centrum measure batch.csv --settings my-study/study.yaml --out features.parquet --workers 4"
)
def measure(
    image: Annotated[
        Path, typer.Argument(help="an image, or a table with the columns image and mask (CSV ...)")
    ],
    mask: Annotated[
        str | None, typer.Argument(metavar="[MASK]", help="FILE or FILE#SEGMENT, of one image")
    ] = None,
    settings: Annotated[
        str | None,
        typer.Option(help="a preset, a study.yaml, or a parameter file of PyRadiomics"),
    ] = None,
    label: Annotated[int | None, typer.Option(help="of the region, of one mask")] = None,
    out: Annotated[
        Path | None, typer.Option(help="table to write: .csv, .json or .parquet")
    ] = None,
    workers: Workers = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be done")] = False,
    json_: Json = False,
) -> None:
    """Measure the features of a region, or of many, without a study.

    A table's rows can name a case (or ID) and a label beside image and mask. Exit code 1 when a
    region could not be measured.
    """
    from centrum.commands import measure as measuring
    from centrum.commands.console import problem_lines

    if mask is None and label is not None:
        raise ProtocolError("--label is of one MASK; a table has a column for it.")
    if out is not None:
        measuring.table_format(out)
    chosen = measuring.read_settings(settings)
    if mask is None:
        regions = measuring.read_batch(image)
        out = out or (None if json_ else Path("features.csv"))
    else:
        regions = (measuring.RegionToMeasure(measuring.ALONE, str(image), mask, label),)
    if dry_run:
        print(f"{len(regions)} regions would be measured{f' into {out}' if out else ''}.")
        return
    store = out.with_name(f".{out.name}.store") if out and mask is None else None
    with _progress() as progress:
        measured = measuring.measure_regions(
            regions, chosen, store=store, workers=workers, progress=progress
        )
    if out is not None:
        measuring.write_measured(measured, out)
    for line in problem_lines(measured.failures, measured.findings, _width()):
        _say(line)
    if json_:
        _print_json(measuring.json_rows(measured.table))
    elif out is not None:
        rows, columns = measured.table.shape
        print(f"{rows} of {len(regions)} regions x {columns} features: {out}")
    else:
        _print(measuring.measured_lines(measured))
    if store is not None and not measured.failures:
        shutil.rmtree(store, ignore_errors=True)
    raise typer.Exit(CASES_FAILED if measured.failures else OK)


@_command(
    "centrum morphometry P012-R1.seg.nrrd\n"
    "centrum morphometry spine-labels.nii.gz --labels verse --figure heights.png\n"
    "centrum morphometry roi.nii.gz --level L1 --json\n"
    "centrum morphometry my-study"
)
def morphometry(
    mask: Annotated[
        str, typer.Argument(metavar="MASK", help="FILE, FILE#SEGMENT, or the folder of a study")
    ],
    image: Annotated[
        str | None, typer.Option(help="the image: its edge, its grid, and to draw on")
    ] = None,
    level: Annotated[str | None, typer.Option(help="the vertebra, for one body")] = None,
    labels: Labels = None,
    fractured: Annotated[
        list[str] | None, typer.Option(help="no reference for others; can be repeated")
    ] = None,
    orientation: Annotated[
        str | None, typer.Option(help="where axes run in files that do not say it, such as PIR")
    ] = None,
    figure: Annotated[Path | None, typer.Option(help="draw the six points: .png or .svg")] = None,
    workers: Workers = 0,
    json_: Json = False,
) -> None:
    """Measure vertebral bodies from their masks: heights, wedge, wall, Genant's grade."""
    from centrum.commands.morphometry import exam_lines, failure_lines, measure_bodies

    if Path(mask).is_dir():
        given = (image, level, labels, fractured, orientation, figure)
        _measure_bodies_of_study(Path(mask), workers, json_, alone=not any(given))
        return
    exam = measure_bodies(
        mask, image, level=level, labels=labels, fractured=fractured or (),
        orientation=orientation, figure=figure,
    )  # fmt: skip
    for note in exam.notes:
        _say(f"note: {note}")
    if json_:
        _print_json(exam)
    else:
        _print(exam_lines(exam))
    for line in failure_lines(exam):
        _say(line)
    raise typer.Exit(CASES_FAILED if exam.failures else OK)


@_command(
    "centrum map my-study P016\n"
    "centrum map my-study P016 --reader resident --window 8 --out maps\n"
    "centrum map my-study P016 --feature original_glcm_joint_entropy_FBN32_2.5D_merged\n"
    "centrum map my-study P016 --region posterior\n"
    "centrum map model.json --image T2w.nrrd --mask body.seg.nrrd#L1",
    "map",
)
def map_(
    source: Annotated[
        Path, typer.Argument(metavar="STUDY | MODEL", help="a study, or a frozen model, model.json")
    ],
    case: Annotated[
        str | None, typer.Argument(metavar="[CASE]", help="of the study, as its results call it")
    ] = None,
    feature: Annotated[
        list[str] | None,
        typer.Option(help="its name; can be repeated; without it the leading ones of the model"),
    ] = None,
    reader: Annotated[str | None, typer.Option(help="whose region, of a study")] = None,
    region: Annotated[
        str | None,
        typer.Option(
            help="which region of several; default: the first, or that of each --feature; for a "
            "model NAME=FILE#SEGMENT"
        ),
    ] = None,
    image: Annotated[str | None, typer.Option(help="the image, for a model")] = None,
    mask: Annotated[str | None, typer.Option(help="FILE or FILE#SEGMENT: its region")] = None,
    sequence: Annotated[
        list[str] | None, typer.Option(help="NAME=FILE of a further sequence; can be repeated")
    ] = None,
    window: Annotated[
        float, typer.Option(metavar="MM", min=0.01, max=1000, help="side of the windows in mm")
    ] = 5.0,
    out: Annotated[Path, typer.Option(help="folder for images and pictures")] = Path("maps"),
    json_: Json = False,
) -> None:
    """Map features over the vertebra: their values in a window around every voxel of the region.

    Writes an image (NIfTI) and a picture (PNG) of each feature. A map shows where a region has
    which texture, not what a model looks at. Features of shape and others that mean nothing in a
    window are refused.
    """
    from centrum.commands import maps

    of_files = image is not None and mask is not None
    if (case is None) != of_files or (of_files and reader is not None):
        raise ProtocolError(
            "Give either a STUDY with a CASE, or a MODEL with --image and --mask, which have no "
            "--reader."
        )
    if case is not None:
        written = maps.map_case(
            _open(source), case, out, feature or (),
            reader=reader, region=region, window_mm=window,
        )  # fmt: skip
    else:
        regions = _pairs([region] if region else [], "region")
        patient = maps.Patient(
            "patient", image or "", mask or "", _pairs(sequence, "sequence"), regions=regions
        )
        written = maps.map_files(
            maps.read_model(source), patient, out, feature or (),
            region=next(iter(regions), None), window_mm=window,
        )  # fmt: skip
    if json_:
        _print_json(written)
    else:
        _print(maps.map_lines(written))


@_command(
    "centrum labels labels.nii.gz\n"
    "centrum labels P012-R1.seg.nrrd --json\n"
    "centrum labels rtstruct.dcm --image dicom/"
)
def labels(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="NIfTI, NRRD, MetaImage, DICOM SEG or RTSTRUCT")
    ],
    image: Annotated[
        str | None, typer.Option(help="the image, on which contours are filled")
    ] = None,
    orientation: Annotated[
        str | None, typer.Option(help="where axes run in files that do not say it, such as PIR")
    ] = None,
    json_: Json = False,
) -> None:
    """Tell what a mask file holds: labels, names, sizes, places, and the schemes that would fit.

    A scheme fits where it has all numbers, and order, discs, canal, sacrum and sizes contradict
    nothing. Which one it is, only you know: name it as --labels.
    """
    from centrum.commands.labels import label_lines, label_record, labels_of

    found = labels_of(file, image, orientation=orientation)
    if json_:
        _print_json(label_record(found))
    else:
        _print(label_lines(found))


@_command(
    "centrum bodies labels.nii.gz --image T2w.nii.gz --labels totalspineseg --out proposed\n"
    "centrum bodies seg-vert.nii.gz --parts seg-spine.nii.gz --image T2w.nii.gz --labels spineps\n"
    "centrum bodies total.nii.gz --parts vertebrae_body.nii.gz --image CT.nii.gz "
    "--labels totalsegmentator"
)
def bodies(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="label map of whole vertebrae")],
    image: Annotated[str, typer.Option(help="the image that it is of")],
    labels: Labels = None,
    parts: Annotated[
        Path | None, typer.Option(help="file of the same program with the bodies apart")
    ] = None,
    orientation: Annotated[
        str | None, typer.Option(help="where axes run in files that do not say it, such as PIR")
    ] = None,
    out: Annotated[Path, typer.Option(help="folder for mask and picture")] = Path("proposed"),
    json_: Json = False,
) -> None:
    """Propose vertebral bodies from a label map of whole vertebrae, for a reader to approve.

    Without --parts they are cut at the spinal canal, row by row; the map must hold the canal.
    Writes FILE_bodies.seg.nrrd, whose segments say that they are proposals, and a picture.
    """
    from centrum.commands.propose import proposal_lines, proposal_record, propose

    written = propose(file, image, out, labels=labels, parts=parts, orientation=orientation)
    if json_:
        _print_json(proposal_record(written))
    else:
        _print(proposal_lines(written))


def _measure_bodies_of_study(folder: Path, workers: int, json_: bool, *, alone: bool) -> None:
    """`morphometry` of a study, which says the rest in its protocol."""
    from centrum.commands.bodies import morphometry
    from centrum.commands.console import bodies_lines

    if not alone:
        raise typer.BadParameter(
            "of a study, image, level, labels, fractured bodies and orientation are in study.yaml "
            "and its manifest, and no picture is drawn: give --workers and --json alone"
        )
    with _progress() as progress:
        bodies = morphometry(_open(folder), workers=workers, progress=progress)
    if json_:
        _print_json(json.loads(bodies.frame.to_json(orient="records")))
    else:
        _print(bodies_lines(bodies))
    raise typer.Exit(CASES_FAILED if bodies.failures else OK)


pacs = typer.Typer(
    help="Find, fetch and send in the hospital's archive, over DICOMweb or DIMSE.",
    epilog=_examples(
        "centrum pacs find archive.yaml --patients ids.txt --out found.csv\n"
        "centrum pacs fetch archive.yaml found.csv mri\n"
        "centrum pacs send archive.yaml scored"
    ),
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(pacs, name="pacs")
ProfileFile = Annotated[
    Path, typer.Argument(metavar="PROFILE", help="how the archive is reached, a YAML file")
]


@_command(
    "centrum pacs find archive.yaml --from 2024-01-01 --to 2024-06-30 --modality MR\n"
    "centrum pacs find archive.yaml --patients ids.txt --description '*t2*sag*' --out found.csv",
    "find",
    to=pacs,
)
def pacs_find(
    profile: ProfileFile,
    first: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="first day of the study, as 2024-01-31"),
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="last day of the study")
    ] = None,
    modality: Annotated[str, typer.Option(help="such as MR")] = "",
    description: Annotated[str, typer.Option(help="of the series, with * and ?")] = "",
    patients: Annotated[
        Path | None, typer.Option(help="file with a Patient ID on each line; - asks for them")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="table of the series, for fetch")] = None,
    identifiers: Annotated[
        bool, typer.Option("--identifiers", help="show whose the series are")
    ] = False,
    json_: Json = False,
) -> None:
    """List series of the archive, without identifiers unless asked for them."""
    from centrum.commands import pacs as verbs

    found = verbs.find(
        profile, first=first and first.date(), last=last and last.date(), modality=modality,
        description=description, patients=patients, out=out,
    )  # fmt: skip
    if json_:
        _print_json(verbs.found_json(found, identifiers=identifiers))
        return
    _print(verbs.found_lines(found, identifiers=identifiers))
    if out is not None:
        print(f"Table: {out} (only you can read it). Next: centrum pacs fetch {profile} {out} DIR")


@_command(
    "centrum pacs fetch archive.yaml found.csv mri --dry-run\n"
    "centrum pacs fetch archive.yaml found.csv mri --series 1f0c56b4a9d2e873",
    "fetch",
    to=pacs,
)
def pacs_fetch(
    profile: ProfileFile,
    found: Annotated[Path, typer.Argument(metavar="FOUND", help="table that find --out wrote")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="folder of the images")],
    series: Annotated[
        list[str] | None, typer.Option(help="as find names it; all when missing; can be repeated")
    ] = None,
    keep_identifiers: Annotated[
        bool, typer.Option("--keep-identifiers", help="leave names, dates and UIDs as they are")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="fetch nothing")] = False,
    json_: Json = False,
) -> None:
    """Fetch series from the archive into a folder, de-identified; goes on where it was stopped.

    Exit code 1 when an instance was refused or is missing.
    """
    from centrum.commands import pacs as verbs

    with _progress() as progress:
        fetched = verbs.fetch(
            profile, found, folder, series=series or (), keep_identifiers=keep_identifiers,
            dry_run=dry_run, progress=progress,
        )  # fmt: skip
    if isinstance(fetched, verbs.Outlook):
        print(verbs.outlook_line(fetched))
        return
    if json_:
        _print_json(verbs.fetched_json(fetched))
    else:
        _print(verbs.fetched_lines(fetched))
    raise typer.Exit(OK if all(f.complete for f in fetched) else CASES_FAILED)


@_command(
    "centrum pacs send archive.yaml seg.dcm report.dcm\n"
    "centrum pacs send archive.yaml scored\n"
    "centrum pacs send archive.yaml scored --reidentify private/identities.jsonl",
    "send",
    to=pacs,
)
def pacs_send(
    profile: ProfileFile,
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="DICOM files, or folders of them")
    ],
    reidentify: Annotated[
        Path | None,
        typer.Option(help="identities of the fetch: send as of the archive's patient and study"),
    ] = None,
    json_: Json = False,
) -> None:
    """Send DICOM files to the archive; what it has already is not sent again.

    With --reidentify what was made of de-identified images goes back under the patient, the study
    and the UIDs of the archive.

    Exit code 1 when the archive has not got them all.
    """
    from centrum.commands import pacs as verbs

    with _progress() as progress:
        sent = verbs.send(profile, paths, progress, reidentify)
    if json_:
        _print_json(verbs.sent_json(sent))
    else:
        _print(verbs.sent_lines(sent))
    raise typer.Exit(OK if sent.complete else CASES_FAILED)


# Options of the reading room: where it is open, and what is done in its place.

Room = Annotated[
    Path, typer.Argument(metavar="STUDY", help="folder of a study, or a pack that you were given")
]
OneReader = Annotated[str | None, typer.Option(help="tell the link of this reader alone")]
Readers = Annotated[
    str | None, typer.Option(help="names with commas between them; at the first time")
]
Port = Annotated[int | None, typer.Option(min=0, max=65535, help="of this machine")]
OpenBrowser = Annotated[bool, typer.Option("--open", help="open the first link in a browser")]
Host = Annotated[str, typer.Option(help="address of this machine that others reach it by")]
OnNetwork = Annotated[
    bool, typer.Option("--network", help="others may reach it: TLS, and a PIN for everybody")
]
Certificate = Annotated[Path | None, typer.Option(help="certificate (PEM); else one is made")]
CertificateKey = Annotated[Path | None, typer.Option(help="key of the certificate (PEM)")]

SetPin = Annotated[
    str | None, typer.Option(metavar="NAME", help='ask for the PIN of a reader, or of "lead"')
]
ConfirmImages = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="keep that NAME looked at images in which letters are feared"
    ),
]
ShowProgress = Annotated[
    bool, typer.Option("--progress", help="print how far everybody is, and end")
]
Pack = Annotated[
    tuple[str, Path] | None,
    typer.Option(metavar="READER FILE", help="a reader's cases for their own computer"),
]
Unpack = Annotated[
    Path | None, typer.Option(metavar="FILE", help="take back what was read in a pack")
]
Backup = Annotated[
    Path | None, typer.Option(metavar="FILE", help="everything in readings/ as a ZIP file")
]
Export = Annotated[Path | None, typer.Option(metavar="FILE", help="readings and journals, signed")]
Verify = Annotated[
    Path | None, typer.Option(metavar="FILE", help="whether an export is as it was signed")
]
Compare = Annotated[
    bool, typer.Option("--compare", help="agreement of signed cases: two tables and a page")
]
ComparedInto = Annotated[
    Path | None,
    typer.Option(help="folder of --compare; results/reading-agreement of the study if missing"),
]
Adjudicate = Annotated[
    list[str] | None,
    typer.Option(
        metavar="CASE=READER",
        help="decide a consensus: a reader's outline, or the union or intersection of two",
    ),
]
Reason = Annotated[str, typer.Option(help="of --adjudicate; kept in the journal")]
Close = Annotated[bool, typer.Option("--close", help="write masks and flags into the manifest")]
Partial = Annotated[bool, typer.Option("--partial", help="close although cases are not signed yet")]


@_command(
    "centrum read my-study\n"
    "centrum read my-study --readers anna,ben --open\n"
    "centrum read my-study --progress\n"
    "centrum read my-study --set-pin anna\n"
    "centrum read my-study --confirm-images 'Ada Lead'\n"
    "centrum read my-study --host 192.168.1.20 --network\n"
    "centrum read my-study --pack anna anna.zip\n"
    "centrum read anna.zip\n"
    "centrum read anna --backup from-anna.zip\n"
    "centrum read my-study --unpack from-anna.zip\n"
    "centrum read my-study --export readings.zip\n"
    "centrum read my-study --verify readings.zip\n"
    "centrum read my-study --compare\n"
    "centrum read my-study --adjudicate P001=anna --adjudicate P002=union --reason 'end plate'\n"
    "centrum read my-study --close"
)
def read(
    folder: Room,
    reader: OneReader = None,
    readers: Readers = None,
    port: Port = None,
    open_: OpenBrowser = False,
    host: Host = "127.0.0.1",
    network: OnNetwork = False,
    cert: Certificate = None,
    key: CertificateKey = None,
    set_pin: SetPin = None,
    confirm_images: ConfirmImages = None,
    progress: ShowProgress = False,
    pack: Pack = None,
    unpack: Unpack = None,
    backup: Backup = None,
    export: Export = None,
    verify: Verify = None,
    compare: Compare = False,
    out: ComparedInto = None,
    adjudicate: Adjudicate = None,
    reason: Reason = "",
    close: Close = False,
    partial: Partial = False,
    json_: Json = False,
) -> None:
    """Open the reading room: readers outline the bodies in the browser, blind to each other.

    Without another option it serves this machine alone until Ctrl-C. See
    docs/how-to/read-in-the-browser.md.
    """
    from centrum.commands import read as verbs

    tasks: dict[str, tuple[object, Callable[[], None]]] = {
        "--set-pin": (set_pin, lambda: _set_pin(folder, str(set_pin))),
        "--confirm-images": (
            confirm_images is not None,
            lambda: _confirm_images(folder, confirm_images or ""),
        ),
        "--progress": (progress, lambda: _reading_progress(folder, json_)),
        "--pack": (pack, lambda: _pack_readings(folder, pack)),
        "--unpack": (unpack, lambda: _unpack_readings(folder, unpack)),
        "--backup": (backup, lambda: _backup_readings(folder, backup)),
        "--export": (export, lambda: _export_readings(folder, export)),
        "--verify": (verify, lambda: _verify_readings(folder, verify, json_)),
        "--compare": (compare, lambda: _compare_readings(folder, out)),
        "--adjudicate": (adjudicate, lambda: _adjudicate_readings(folder, adjudicate, reason)),
        "--close": (close, lambda: _close_readings(folder, partial)),
    }
    asked = {name: task for name, (given, task) in tasks.items() if given}
    if len(asked) > 1:
        raise typer.BadParameter(f"{' and '.join(asked)} are done one after the other")
    names = tuple(filter(None, (readers or "").split(",")))
    room = verbs.RoomChoices(reader, names, port, open_, host, network, cert, key)
    task, *_ = *asked.values(), lambda: _open_room(folder, room)
    task()


def _open_room(place: Path, choices: "RoomChoices") -> None:
    from centrum.commands.read import begun_desk, refuse_without_extra
    from centrum.commands.read_pack import is_pack, laid_out

    refuse_without_extra()
    from centrum.web.serve import PORT, Network, serve

    folder = laid_out(place)
    with _progress(kept=False) as progress:
        desk, told = begun_desk(folder, choices.readers, progress, looked=is_pack(folder))
    with desk:
        _print(told)
        if is_pack(folder):
            print(f"To give back what you read: centrum read {folder} --backup FILE")
        network = Network(choices.host, choices.network, choices.certificate, choices.key)
        serve(
            desk, port=PORT if choices.port is None else choices.port,
            network=network, only=choices.reader, say=_say_now, lead=not is_pack(folder),
            opened=_browse if choices.open else None,
        )  # fmt: skip


def _say_now(line: str) -> None:
    print(line, flush=True)


def _browse(link: str) -> None:
    import webbrowser

    webbrowser.open(link)


def _set_pin(folder: Path, name: str) -> None:
    from getpass import getpass

    from centrum.commands.read import set_pin

    if sys.stdin.isatty():
        pin = getpass(f"PIN of {name} (not shown): ")
        if getpass("Again: ") != pin:
            raise typer.BadParameter("these are two different PINs; nothing was kept")
    else:
        pin = sys.stdin.readline().rstrip("\r\n")
    set_pin(folder, name, pin)
    print(f"{name} has a PIN.")


def _confirm_images(folder: Path, name: str) -> None:
    from centrum.commands.read import confirmed_line

    print(confirmed_line(folder, name))


def _reading_progress(folder: Path, json_: bool) -> None:
    from centrum.commands import read as verbs

    found = verbs.progress(folder)
    if json_:
        _print_json(verbs.progress_json(found))
    else:
        _print(verbs.progress_lines(found))


def _pack_readings(folder: Path, given: tuple[str, Path] | None) -> None:
    from centrum.commands.read_pack import pack

    reader, file = given or ("", Path())
    with _progress(kept=False) as progress:
        cases = pack(folder, reader, file, progress)
    print(f"{cases} cases of {reader}: {file}, which holds images and no names.")
    print(
        "It is NOT ENCRYPTED: carry it on an encrypted drive, or encrypt it before it is sent, and "
        "what is given back likewise."
    )
    print(
        f"There: centrum read {file.name}; and what is given back: centrum read STUDY --unpack FILE"
    )


def _unpack_readings(folder: Path, file: Path | None) -> None:
    from centrum.commands.read_pack import unpack, unpacked_line

    with _progress(kept=False) as progress:
        print(unpacked_line(unpack(folder, file or Path(), progress)))


def _compare_readings(folder: Path, out: Path | None) -> None:
    from centrum.commands.read_finished import write_comparison

    _print(write_comparison(folder, out).lines())


def _adjudicate_readings(folder: Path, decisions: list[str] | None, reason: str) -> None:
    from centrum.commands.read_finished import adjudicate_cases

    _print(adjudicate_cases(folder, decisions or (), reason).lines())


def _close_readings(folder: Path, partial: bool) -> None:
    from centrum.commands.read_finished import close_room

    _print(close_room(folder, partial=partial).lines())


def _backup_readings(folder: Path, file: Path | None) -> None:
    from centrum.commands.read_archive import backup

    files = backup(folder, file or Path())
    print(
        f"{files} files: {file} (only your account can read it, and it is not encrypted; PINs and "
        "keys are in it)."
    )


def _export_readings(folder: Path, file: Path | None) -> None:
    from centrum.commands.read import cases_by_token, refuse_without_extra
    from centrum.commands.read_archive import export

    refuse_without_extra()
    fingerprint = export(folder, file or Path(), cases_by_token(folder))
    print(f"{file}, signed by {fingerprint}: tell this to whom you give it, by another way.")


def _verify_readings(folder: Path, file: Path | None, json_: bool) -> None:
    from centrum.commands.read import refuse_without_extra
    from centrum.commands.read_archive import verified_lines, verify

    refuse_without_extra()
    found = verify(file or Path(), folder)
    if json_:
        _print_json(found)
    else:
        _print(verified_lines(found))


def _open(folder: Path, shards: str | None = None) -> "Study":
    """The study, with its shards in object storage if a URL is given; tells where images go."""
    from centrum.commands.study import open_study

    study = _telling_where_images_go(open_study(folder))
    return study if shards is None else study.with_shards(shards)


def _telling_where_images_go(study: "Study") -> "Study":
    from centrum.commands.console import staging_lines

    for line in staging_lines(study.cohort):
        _say(line)
    return study


@contextmanager
def _progress(kept: bool = True) -> "Iterator[Progress]":
    """A progress bar on the error stream, once there is progress.

    `kept` is whether what is done by then is kept if the user stops it.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TimeRemainingColumn())  # fmt: skip
    bar = Progress(*columns, console=Console(stderr=True))
    tasks: dict[str, Any] = {}
    last: list[str] = []

    def show(what: str, done: int, total: int) -> None:
        if what not in tasks:
            bar.start()
            tasks[what] = bar.add_task(what, total=total)
        bar.update(tasks[what], completed=done, total=total)
        last[:] = [f"{what}: {done} of {total} are done and kept."] if kept else []

    try:
        yield show
    except KeyboardInterrupt as stop:
        raise _Stopped("".join(last) or "Nothing was begun.") from stop
    finally:
        if tasks:
            bar.stop()


def _noticed(failures: Iterable[Any], findings: Iterable[Any]) -> dict[str, list[dict[str, Any]]]:
    return {"failures": [vars(f) for f in failures], "findings": [vars(f) for f in findings]}


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)


def _print_json(value: object) -> None:
    from centrum.commands.console import json_text

    print(json_text(value))
