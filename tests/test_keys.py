"""Whatever a job reads stands in its key: each thing is changed in turn, and what follows is made.

`EXPECTED` says which jobs read which choices. It knows nothing of how keys are made, and a choice
that is not in it fails.
"""

import csv
import json
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
from pydantic import BaseModel

from centrum import __version__, provenance
from centrum.commands import study as verbs
from centrum.commands.plan import plan_study
from centrum.execution import silent
from centrum.filters.filter import Filter
from centrum.frozen.explanation import ExplainJob
from centrum.measure import case as measure, images as images_of_cases
from centrum.measure.morphometry import MorphometryJob
from centrum.measure.perturbed import PerturbedJob
from centrum.modelling.designs import Part
from centrum.morphometry.settings import MorphometrySettings
from centrum.perturb import RobustnessSettings
from centrum.prepare.settings import Nyul
from centrum.protocol import Protocol, parse_protocol
from centrum.provenance import file_digest
from centrum.stages import RESULTS
from centrum.study.stage_keys import KEYS
from centrum.study.study import Study, open_study
from centrum.validation import fits, procedure
from tests.smallest import MODEL, TABLES, image_study, table_study, write
from tests.studies import read_rows, write_rows

MEASURED = {"measure", "perturbed", "landmarks"}
"""Jobs of a case that are kept in store/."""

FITTED = {"part", "leak", "resample", "explained"}
"""Jobs of a model that are kept in fits/."""

WHOLE = {"evaluate", "explain", "freeze", "report", "manuscript"}
"""Stages that take a moment, and in which the whole protocol is read or printed."""

TABLE = {"extract", "morphometry", "perturb"}
"""The stages that read the manifest and the images."""

MODEL_OF = {"fit", "internal", *FITTED}
"""All that fits a model."""

EXPECTED: dict[str, set[str]] = {
    # Texts that decide nothing.
    "name": set(),
    "description": set(),
    "deviations": set(),
    "outcome": TABLE | MODEL_OF,
    "eligibility": TABLE,
    "keep_names": TABLE,
    "describe": TABLE,
    "tables": TABLE,
    "sources": TABLE,
    "join": TABLE,
    "images": TABLE | {"measure", "perturbed"},
    "images.orientation": TABLE | MEASURED | {"bodies"},
    "images.labels": TABLE | {"measure", "perturbed", "bodies"},
    "images.on_grid_mismatch": TABLE | {"measure", "perturbed", "bodies"},
    "images.grid_tolerance_mm": TABLE | {"measure", "perturbed", "bodies"},
    "images.sequences": TABLE | MEASURED | {"bodies"},
    # Images are compared with what is claimed after they were measured.
    "images.weighting": TABLE,
    # A case is measured of all readers; the perturbed region is the primary reader's.
    "images.reader": TABLE | {"perturbed"},
    # What was measured needs no memory any more.
    "images.max_memory_gb": TABLE,
    "preparation": TABLE | MEASURED,
    "extraction": TABLE | {"measure", "perturbed"},
    "robustness": {"perturb", "perturbed"} | MODEL_OF,
    # Which features are kept is decided when all were measured.
    "robustness.icc": {"perturb"} | MODEL_OF,
    "model": MODEL_OF,
    # Gaps in tables are taken where something fills them.
    "model.imputation.method": TABLE | MODEL_OF,
    "model.agreement": {"agree"} | MODEL_OF,
    "model.agreement.form": {"agree", "morphometry"} | MODEL_OF,
    "morphometry": {"morphometry", "bodies"},
    "search": MODEL_OF,
    # The rows of a part are its own inputs.
    "split": {"fit", "internal"},
    "split.seed": MODEL_OF,
    "split.train_fraction": {"fit", "internal", "leak"},
    # Bands, subgroups and readers are computed of the scores.
    "evaluation": {"internal"},
    "evaluation.cutoff": {"internal", "part", "resample"},
    "evaluation.prevalence": {"internal", "part", "resample"},
    "evaluation.conformal_error": {"internal", "part", "resample"},
    "evaluation.cutoff_folds": {"fit", "internal"},
    "evaluation.seed": {"fit", "internal", "explained"},
    # Groups are an input of the job of a part; the stage reads the whole protocol.
    "evaluation.explanation": set(),
    "evaluation.explanation.permutations": {"explained"},
    "evaluation.clinical": {"internal", "leak"},
}
"""The jobs that read a choice, beside `WHOLE`; the longest beginning of its name counts."""

RICH = """\
name: Rich
deviations: [one]
eligibility: [{name: grown, require: age > 18}, {name: young, exclude: age > 99}]
images: {sequences: [first, second], reader: senior}
sources: [{name: further, file: cases.csv}]
preparation:
  bias_field: {}
  normalisation: {method: NORMALISATION}
  region: [REGION]
extraction:
  families: [statistics]
  interpolation: {in_plane: 0.5}
  filters: [{filter: log, sigma: 1, dimension: 2D}]
  response_discretisation: {method: fixed_bin_number, bins: 8}
  ratios: [{of: muscle, to: above}]
robustness: {}
morphometry: {}
model: {screen: {}, correlation: {}, n_features: {maximum: 2, folds: 2}}
search: {}
"""

OPERATIONS = (
    "{operation: erode, mm: 1}",
    "{operation: dilate, mm: 1}",
    "{operation: fill_holes}",
    "{operation: shell, from_mm: -1, to_mm: 1}",
    "{operation: largest_piece}",
)
NORMALISATIONS = ("none", "z_score", "percentile", "nyul", "reference_tissue")

SPECIAL = {
    "images.sequences": ("second", "first"),
    "images.reader": "resident",
    "images.labels": "verse",
    "images.orientation": "PIR",
    "tables.file": "cases.csv",
    "sources.file": "study.yaml",
    "extraction.ratios.families": ("histogram",),
}
"""Values that only a study can say."""

NO_CHOICE = {
    "preparation.normalisation.method": "names the block itself",
    "preparation.region.operation": "names the block itself",
    "model.rfe.step": "has one value",
    "images.sequence": "cannot stand beside `sequences`, which are changed",
}
"""Keys of a protocol of which there is no other value."""


# Every choice of a protocol


def blocks_of(kind: Any) -> Iterator[type[BaseModel]]:
    """All blocks of settings that a type of a field can hold, the filters aside."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
        for field in kind.model_fields.values():
            yield from blocks_of(field.annotation)
    for inner in get_args(kind):
        yield from blocks_of(inner)


def leaves(block: BaseModel, path: str = "") -> Iterator[tuple[str, type, str, Any, Callable]]:
    """Name, block, field, value, and how to put another value there, of every choice."""
    for name, field in type(block).model_fields.items():
        value, own = getattr(block, name), f"{path}{name}"

        def put(new: object, name: str = name) -> BaseModel:
            return block.model_copy(update={name: new})

        if isinstance(value, BaseModel):
            for *leaf, inner in leaves(value, f"{own}."):
                yield *leaf, lambda new, put=put, inner=inner: put(inner(new))
        elif isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
            for k, each in enumerate(value):
                for *leaf, inner in leaves(each, f"{own}."):
                    yield (
                        *leaf,
                        lambda new, put=put, inner=inner, k=k, value=value: put(
                            (*value[:k], inner(new), *value[k + 1 :])
                        ),
                    )
        elif not list(blocks_of(field.annotation)):
            yield own, type(block), name, (value, field.annotation), put


def another(value: Any, kind: Any) -> Any:
    """Another value of the kind of a field."""
    choices = [c for part in (kind, *get_args(kind)) if get_origin(part) is Literal
               for c in get_args(part) if c != value]  # fmt: skip
    if isinstance(value, bool):
        return not value
    if choices and not isinstance(value, tuple):
        return choices[0]
    if isinstance(value, int):
        return value + 1
    if isinstance(value, float):
        return value * 0.9 + 0.02
    if isinstance(value, str):
        return value + "x"
    if isinstance(value, tuple):
        return value[::-1] if len(set(value)) > 1 else ("age",)
    return 1 if {int, float} & set(map(plain_kind, get_args(kind))) else "x"


def plain_kind(kind: Any) -> Any:
    """The type below its bounds."""
    return plain_kind(get_args(kind)[0]) if hasattr(kind, "__metadata__") else kind


def expected(path: str) -> set[str]:
    """What `EXPECTED` says of a choice."""
    parts = path.split(".")
    for end in range(len(parts), 0, -1):
        if (known := EXPECTED.get(".".join(parts[:end]))) is not None:
            return known | WHOLE
    raise AssertionError(f"nobody says what reads {path}")


def keys_of(study: Study) -> dict[str, str]:
    """The key of every kind of job that a study has, of its first case."""
    found = {stage: key(study) for stage, key in KEYS.items()}
    protocol, results = study.protocol, study.results
    source = fits.Source.of(results, protocol)
    job = fits.FitJob(source, protocol, "single", 0, (0, 1), (2,))
    found["part"] = job.key()
    found["leak"] = procedure.LeakJob(source, protocol, 7, shuffle=False).key()
    found["resample"] = procedure.ResampleJob(source, protocol, (0, 1), 7).key()
    part = Part("single", 0, np.array([0, 1]), np.array([2]))
    found["explained"] = ExplainJob(source, protocol, part, (0,)).key()
    for case in study.jobs()[:1]:
        primary = {study.readers[0]: case.masks[study.readers[0]]}
        alone = replace(case, masks=primary)
        found["measure"] = case.key()
        found["perturbed"] = PerturbedJob(alone, protocol.robustness or RobustnessSettings()).key()
        settings = protocol.morphometry or MorphometrySettings()
        found["bodies"] = MorphometryJob(case, settings).key()
        if isinstance(case.preparation.normalisation, Nyul):
            found["landmarks"] = measure.landmarks_key(case)
    return found


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    """The jobs whose keys are others."""
    return {name for name in before if before[name] != after[name]}


def leave_results(study: Study) -> None:
    """Results of every stage, so that keys can be computed of them."""
    study.results.mkdir(exist_ok=True)
    pd.DataFrame({"x": [1.0]}).to_parquet(study.results / "features.parquet")
    for stage, names in RESULTS.items():
        for name in names:
            if not name.endswith(".parquet"):
                (study.results / name).write_text(json.dumps({"of": name}))
            elif name != "features.parquet":
                shutil.copy(study.results / "features.parquet", study.results / name)
        study.stages.done(stage, "made", [study.results / name for name in names])


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of images with results that only have digests; not to be changed."""
    folder = image_study(tmp_path_factory.mktemp("images") / "study")
    leave_results(open_study(folder))
    return folder


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same of tables."""
    folder = table_study(tmp_path_factory.mktemp("tables") / "study")
    leave_results(open_study(folder))
    return folder


@pytest.fixture
def study(images: Path, tmp_path: Path) -> Path:
    """A copy of the study of images, to be changed."""
    return Path(shutil.copytree(images, tmp_path / "study"))


def rich_protocols() -> Iterator[Protocol]:
    """Protocols that hold every kind of block between them."""
    longest = max(len(NORMALISATIONS), len(OPERATIONS))
    for k in range(longest):
        text = RICH.replace("NORMALISATION", NORMALISATIONS[k % len(NORMALISATIONS)])
        if NORMALISATIONS[k % len(NORMALISATIONS)] == "nyul":
            text = text.replace("sequences: [first, second]", "sequence: first")
        yield parse_protocol(text.replace("REGION", OPERATIONS[k % len(OPERATIONS)]), "rich")
    yield parse_protocol(MODEL + TABLES, "tables")


def test_every_choice_of_a_protocol_is_in_the_keys_of_what_reads_it(
    images: Path, tables: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A choice that no job reads, or of which nobody says who does, fails."""
    monkeypatch.setattr(measure, "source_digest", lru_cache(measure.source_digest))  # for speed
    seen, there, made = set(), defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    for protocol in rich_protocols():
        study = replace(open_study(tables if protocol.tables else images), protocol=protocol)
        before = keys_of(study)
        for path, block, name, (value, kind), put in leaves(protocol):
            again = (block, name) in seen and not path.startswith(("images", "preparation"))
            seen.add((block, name))
            if path not in NO_CHOICE and not again:
                new = SPECIAL[path] if SPECIAL.get(path, value) != value else another(value, kind)
                there[path] |= before.keys()
                made[path] |= changed(before, keys_of(replace(study, protocol=put(new))))
    assert set().union(*there.values()) == set(KEYS) | MEASURED | {"bodies"} | FITTED
    wanted = {path: expected(path) & there[path] for path in made}
    told = [
        f"{path}: not {wanted[path] - found or '{}'}, but {found - wanted[path] or '{}'}"
        for path, found in made.items()
        if found != wanted[path]
    ]
    assert told == [], "what was not made again, and what was for nothing"
    every = {
        (block, name)
        for block in blocks_of(Protocol)
        if block is not Filter  # each filter has a block of its own, which is read as a whole
        for name, field in block.model_fields.items()
        if not list(blocks_of(field.annotation))
    }
    assert {f"{b.__name__}.{n}" for b, n in every - seen} == set(), "choices that were not tried"


FIRST = "name: x\nimages: {sequence: first}\n"


@pytest.mark.parametrize(
    "text",
    ["split: {design: temporal, by: age}", "preparation: {normalisation: {method: nyul}}"],
)
def test_where_the_table_goes_by_the_split_its_choices_are_read(images: Path, text: str) -> None:
    """A temporal design has a column of its own; landmarks are learnt on the training side."""
    study = replace(open_study(images), protocol=parse_protocol(f"{FIRST}{text}\n", "split"))
    moved = study.protocol.model_copy(
        update={"split": study.protocol.split.model_copy(update={"seed": 99})}
    )
    assert KEYS["extract"](study) != KEYS["extract"](replace(study, protocol=moved))


def test_a_table_with_gaps_is_read_where_they_are_filled(tables: Path) -> None:
    texts = [
        f"{TABLES}model: {{imputation: {{method: {m}}}}}\n" for m in ("none", "median", "mean")
    ]
    protocols = [parse_protocol(f"name: x\n{text}", "gaps") for text in texts]
    none, median, mean = (
        KEYS["extract"](replace(open_study(tables), protocol=protocol)) for protocol in protocols
    )
    assert none != median == mean


# Every file


def change_sidecar(path: Path) -> None:
    known = json.loads(path.read_text())
    path.write_text(json.dumps(known | {"RepetitionTime": 9.5}))


def change_image(path: Path) -> None:
    image = sitk.ReadImage(path)
    image[6, 6, 2] = image[6, 6, 2] + 1
    sitk.WriteImage(image, path)


def change_bytes(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[300] ^= 1
    path.write_bytes(content)


def erase_voxel(path: Path) -> None:
    image = sitk.ReadImage(path)
    image[4, 4, 2] = 0
    sitk.WriteImage(image, path)


FILES = {
    "P00-first.nii.gz": change_image,
    "P00-first.json": change_sidecar,
    "P00-second.nhdr": lambda path: path.write_text(path.read_text() + "# another header\n"),
    "P00-second.raw": change_bytes,
    "P00-senior.nrrd": erase_voxel,
    "P00-resident.nrrd": erase_voxel,
}


@pytest.mark.parametrize("name", FILES)
def test_a_changed_file_of_a_case_is_measured_again(study: Path, name: str) -> None:
    """And nothing of another case."""
    protocol = (study / "study.yaml").read_text()
    (study / "study.yaml").write_text(
        protocol.replace("sequence: first", "sequences: [first, second]")
    )
    before, jobs = keys_of(open_study(study)), open_study(study).jobs()
    FILES[name](study / name)
    after, again = keys_of(open_study(study)), open_study(study).jobs()
    wanted = {"extract", "morphometry", "perturb", "measure", "perturbed"}
    drawn = set() if "second" in name else {"bodies"}
    assert changed(before, after) == (wanted | drawn) - (
        {"perturbed"} if "resident" in name else set()
    )
    assert jobs[1].key() == again[1].key()


def test_a_plan_is_told_and_decides_nothing(study: Path) -> None:
    before = keys_of(open_study(study))
    plan_study(study, primary="auc", cases=8)
    first = keys_of(open_study(study))
    assert changed(before, first) == {"report", "manuscript"}
    plan_study(study, primary="auc", cases=9)
    assert changed(first, keys_of(open_study(study))) == {"report", "manuscript"}


def test_a_new_sidecar_is_read(study: Path) -> None:
    """Field strength and repetition time are those of the sidecar as it is."""
    before = verbs.extract(open_study(study)).acquisition
    assert before["repetition_time_ms"].tolist() == [2500, 3500]
    change_sidecar(study / "P00-first.json")
    assert verbs.extract(open_study(study)).acquisition["repetition_time_ms"].tolist() == [
        9500,
        3500,
    ]


@pytest.mark.parametrize("name", ["senior.csv", "resident.csv", "cases.csv"])
def test_a_changed_table_is_read_again(tables: Path, tmp_path: Path, name: str) -> None:
    folder = Path(shutil.copytree(tables, tmp_path / "study"))
    before = keys_of(open_study(folder))
    rows = (
        read_rows(folder) if name == "cases.csv" else list(csv.DictReader((folder / name).open()))
    )
    head = list(rows[0])[-1]
    rows[0][head] = "M" if name == "cases.csv" else "99"
    kept = (folder / "cases.csv").read_bytes()
    write_rows(folder, rows)
    if name != "cases.csv":
        (folder / "cases.csv").rename(folder / name)
        (folder / "cases.csv").write_bytes(kept)
    assert changed(before, keys_of(open_study(folder))) == {"extract", "morphometry", "perturb"}


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("features.parquet", {"agree", "morphometry", "perturb", *MODEL_OF, *WHOLE}),
        ("features.json", {"agree", "morphometry", "perturb", *MODEL_OF, *WHOLE}),
        ("extraction.json", WHOLE),
        ("overlap.csv", WHOLE),
        ("acquisition.csv", WHOLE),
        ("agreement.csv", {"report", "manuscript"}),
        ("robustness_values.parquet", {*MODEL_OF, *WHOLE}),
        ("robustness.csv", WHOLE),
        ("morphometry.csv", {*MODEL_OF, *WHOLE}),
        ("morphometry_agreement.csv", WHOLE),
        ("fit.json", WHOLE),
        ("scores.csv", WHOLE),
        ("assessment.json", {"report", "manuscript"}),
        ("evaluation.json", {"explain", "freeze", "report", "manuscript"}),
        ("explanation.json", {"report", "manuscript"}),
        ("model.json", {"report", "manuscript"}),
    ],
)
def test_another_result_makes_what_reads_it_again(study: Path, name: str, wanted: set[str]) -> None:
    protocol = (study / "study.yaml").read_text()
    covariates = "model: {covariates: ['morphometry:depth']}\nmorphometry: {}\n"
    (study / "study.yaml").write_text(protocol + covariates + "robustness: {}\n")
    opened = open_study(study)
    before, path = keys_of(opened), opened.results / name
    if name.endswith(".parquet"):
        pd.DataFrame({"x": [2.0]}).to_parquet(path)
    else:
        path.write_text(json.dumps({"of": "another"}))
    stage = next(stage for stage, names in RESULTS.items() if name in names)
    opened.stages.done(stage, "made", [opened.results / n for n in RESULTS[stage]])
    assert changed(before, keys_of(opened)) == wanted


def test_a_model_does_not_go_by_the_history_of_its_table(study: Path) -> None:
    """Another blank in the manifest costs no fit."""
    opened = open_study(study)
    (opened.results / "features.json").write_text(
        json.dumps({"of": "features.json", "history": []})
    )
    before = keys_of(opened)
    (opened.results / "features.json").write_text(
        json.dumps({"of": "features.json", "history": [1]})
    )
    assert not changed(before, keys_of(opened)) & {*FITTED, "fit", "internal"}


# The manifest


CELLS = {
    "case": "P99",
    "patient": "Q99",
    "level": "L5",
    "outcome": "osteoporotic",
    "centre": "C",
    "age": "99",
    "sex": "M",
    "image:first": "other.nii.gz",
    "image:second": "other.nrrd",
    "mask:senior": "drawn.nrrd",
    "mask:resident": "drawn.nrrd",
}
"""Another cell of the first case."""

MEASURED_CELLS = {
    "case": {"perturbed"},  # what is drawn of a case goes by its name
    "level": {"measure", "perturbed", "bodies"},
    "image:first": {"measure", "perturbed", "bodies"},
    "image:second": set(),  # is not the sequence of the study
    "mask:senior": {"measure", "perturbed", "bodies"},
    "mask:resident": {"measure", "bodies"},
}
"""The jobs of a case that read a cell; the others read none."""


def draw_another(folder: Path) -> None:
    """Files of a further case, or for another cell."""
    array = np.arange(5 * 12 * 12, dtype=np.int16).reshape(5, 12, 12)
    for name in ("other.nii.gz", "other.nrrd"):
        write(folder / name, array)
    write(folder / "drawn.nrrd", (array % 7 == 0).astype(np.uint8))


FURTHER = {
    "case": "P77",
    "patient": "Q77",
    "image:first": "other.nii.gz",
    "image:second": "other.nrrd",
    "mask:senior": "drawn.nrrd",
    "mask:resident": "",
}


@pytest.mark.parametrize("head", CELLS)
def test_a_changed_cell_is_read_again(study: Path, head: str) -> None:
    draw_another(study)
    before, rows = keys_of(open_study(study)), read_rows(study)
    rows[0][head] = CELLS[head]
    write_rows(study, rows)
    wanted = {"extract", "morphometry", "perturb"} | MEASURED_CELLS.get(head, set())
    assert changed(before, keys_of(open_study(study))) == wanted


TABLES_OF_CASES: dict[str, Callable[[list], list]] = {
    "a column more": lambda rows: [row | {"scanner": "X"} for row in rows],
    "a column less": lambda rows: [{k: v for k, v in row.items() if k != "age"} for row in rows],
    "another order of columns": lambda rows: [dict(reversed(row.items())) for row in rows],
    "a case more": lambda rows: [*rows, rows[0] | FURTHER],
}


@pytest.mark.parametrize("change", TABLES_OF_CASES.values(), ids=TABLES_OF_CASES)
def test_another_table_of_cases_is_read_and_the_cases_stay_measured(
    study: Path, change: Callable[[list], list]
) -> None:
    draw_another(study)
    protocol = (study / "study.yaml").read_text()
    (study / "study.yaml").write_text(protocol.replace("first}", "first, reader: senior}"))
    before = keys_of(open_study(study))
    write_rows(study, change(read_rows(study)))
    assert changed(before, keys_of(open_study(study))) == {"extract", "morphometry", "perturb"}


def test_the_order_of_cases_is_read_and_they_stay_measured(study: Path) -> None:
    """The table of features has it."""
    before = open_study(study)
    write_rows(study, read_rows(study)[::-1])
    after = open_study(study)
    assert changed(keys_of(before), keys_of(after)) >= {"extract", "morphometry", "perturb"}
    assert [job.key() for job in before.jobs()] == [job.key() for job in after.jobs()][::-1]


def test_pseudonyms_and_the_mark_of_a_phantom_are_read(study: Path) -> None:
    rows = read_rows(study)
    for row, name in zip(rows, ("Anna Roth", "Ina Blau"), strict=True):
        row["patient"] = name
    write_rows(study, rows)
    before = keys_of(open_study(study))
    head = "what,name,pseudonym\n"
    (study / "identities.csv").write_text(head + "patient,Anna Roth,P7\npatient,Ina Blau,P8\n")
    renamed = keys_of(open_study(study))
    assert changed(before, renamed) == {"extract", "morphometry", "perturb"}
    (study / "phantom.json").write_text("{}")
    assert changed(renamed, keys_of(open_study(study))) == {"extract", "morphometry", "perturb"}


# The software


def test_another_version_makes_everything_again(
    images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = open_study(images)
    before = keys_of(study)
    monkeypatch.setattr(provenance, "__version__", f"{__version__}.1")
    assert changed(before, keys_of(study)) == set(before)


MEASURING = {"extract", "morphometry", "perturb", "measure", "perturbed", "bodies", *WHOLE}
MODELLING = {"agree", "morphometry", "perturb", *MODEL_OF, *WHOLE}


@pytest.mark.parametrize("package", provenance.PACKAGES)
def test_another_version_of_a_library_makes_what_it_computes_again(
    images: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    """An upgrade of what models are made with measures nothing again."""
    study = open_study(images)
    before, version = keys_of(study), provenance.package_version
    monkeypatch.setattr(
        provenance, "package_version", lambda name: "9.9" if name == package else version(name)
    )
    computed = {
        "numpy": MEASURING | MODELLING, "scipy": MEASURING | MODELLING,
        "numba": MEASURING | MODELLING, "SimpleITK": MEASURING, "PyWavelets": MEASURING,
        "pydicom": MEASURING, "pandas": MODELLING, "scikit-learn": MODELLING,
        "imbalanced-learn": MODELLING,
    }  # fmt: skip
    assert changed(before, keys_of(study)) == computed[package]


# What two jobs share


def test_the_order_of_readers_is_applied_after_the_store(study: Path) -> None:
    """Records know no order: an overlap is of the later reader against the earlier one."""
    first = verbs.extract(open_study(study))
    entries = contents(study / "results" / "shards")
    protocol = (study / "study.yaml").read_text()
    (study / "study.yaml").write_text(protocol.replace("first}", "first, reader: resident}"))
    turned = verbs.extract(open_study(study))
    assert contents(study / "results" / "shards") == entries, "nothing was measured again"
    assert first.table.readers == ("senior", "resident")
    assert turned.table.readers == ("resident", "senior")
    np.testing.assert_array_equal(turned.table.values, first.table.values[:, :, ::-1])
    assert (turned.overlap["reader_a"] == "resident").all()
    differences = [found.overlap["volume_difference_mm3"] for found in (first, turned)]
    np.testing.assert_array_equal(differences[0], -differences[1])
    assert (differences[0] > 0).all()
    shutil.rmtree(study / "results")
    anew = verbs.extract(open_study(study))
    pd.testing.assert_frame_equal(anew.overlap, turned.overlap)
    assert anew.findings == turned.findings


def test_the_order_of_further_sequences_is_in_the_key(study: Path) -> None:
    """Their features follow each other: two orders are two records."""
    (case, *_) = open_study(study).jobs()
    further = {"a": "P00-first.nii.gz", "b": "P00-second.nhdr"}
    further = {name: str(study / path) for name, path in further.items()}
    other = dict(reversed(further.items()))
    assert replace(case, further=further).key() != replace(case, further=other).key()


def test_the_rows_columns_and_draws_of_a_fit_are_in_its_key(tables: Path) -> None:
    """Variants of an ablation, parts, permutations and samples differ in nothing else."""
    protocol = open_study(tables).protocol
    source = fits.Source.of(tables / "results", protocol)
    sources = (source, replace(source, features=(0,)), replace(source, sources=("clinical",)))
    parts = [fits.FitJob(each, protocol, "single", 0, (0, 1), (2,)) for each in sources]
    parts += [replace(parts[0], **change) for change in ({"train": (0,)}, {"test": (3,)})]
    parts += [replace(parts[0], shuffle=1), replace(parts[0], shuffle=2)]
    jobs = [
        *parts,
        *(procedure.LeakJob(source, protocol, k, s) for k in (1, 2) for s in (False, True)),
        *(procedure.ResampleJob(source, protocol, (0, 1), k) for k in (1, 2)),
        procedure.ResampleJob(source, protocol, (0, 2), 1),
    ]
    assert len({job.key() for job in jobs}) == len(jobs)


def test_the_name_of_a_part_is_that_of_the_design(tables: Path) -> None:
    """The same rows under another name are the same fit, which is called by its own name."""
    protocol = open_study(tables).protocol
    source = fits.Source.of(tables / "results", protocol)
    old = fits.FitJob(source, protocol, "fold 1", 0, (0, 1), (2,))
    new = replace(old, name="centre A", repeat=3)
    assert old.key() == new.key()
    store = fits.Store(tables / "results" / fits.FITS)
    store.put(old.key(), {"n_train": 2, "error": "none"})
    (found,) = fits.refit_all(source, [new], 1, silent, "")
    assert (found["name"], found["repeat"], found["n_train"]) == ("centre A", 3, 2)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# What changes while it is read


def test_a_file_that_changes_while_its_case_is_measured_is_that_case_s_error(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record of one half is not kept under the key of the other."""
    read = images_of_cases.image_of

    def meanwhile(source: str, *others: object) -> object:
        found = read(source, *others)
        if "P00" in source:
            write(study / "P00-first.nii.gz", np.ones((5, 12, 12), np.int16))
        return found

    monkeypatch.setattr(images_of_cases, "image_of", meanwhile)
    found = verbs.extract(open_study(study))
    (failure,) = found.failures
    assert (failure.case, failure.code) == ("P00", "changed-meanwhile")
    assert "A file of the case was changed while it was read" in failure.message
    assert found.table.cases == ("P01",)


def test_a_model_states_the_protocol_that_it_was_made_by(study: Path) -> None:
    """Edited during a run, it is not hashed at the end."""
    opened = open_study(study)
    digests = {name: file_digest(study / name) for name in ("study.yaml", "cases.csv")}
    for name in digests:
        (study / name).write_text((study / name).read_text() + "\n")
    stated = verbs._digests(opened, "freeze")
    assert {name: stated[name] for name in digests} == digests
    assert stated["study.yaml"] != file_digest(study / "study.yaml")


def test_a_manifest_that_is_being_saved_is_refused(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from centrum.errors import DataError
    from centrum.study import study as module

    read = module.read_manifest

    def meanwhile(path: Path, **options: object) -> object:
        found = read(path, **options)
        path.write_text(path.read_text() + "\n")
        return found

    monkeypatch.setattr(module, "read_manifest", meanwhile)
    with pytest.raises(DataError, match=r"cases\.csv was changed while it was read") as caught:
        open_study(study)
    assert caught.value.code == "changed-meanwhile"
