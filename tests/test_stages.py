"""Results are read as their stage left them, from inputs as they are now, or refused by name."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from centrum.cohort.pseudonyms import KEY
from centrum.commands import results as left, study as verbs
from centrum.commands.manuscript import write_manuscript
from centrum.errors import CentrumError, DataError
from centrum.provenance import file_digest
from centrum.stages import Made, Stages
from centrum.study.study import Study, open_study
from centrum.validation.fits import Source
from tests.smallest import table_study
from tests.studies import read_rows, write_rows

Verb = Callable[[Study], object]


def export(study: Study) -> object:
    return verbs.export(study, study.folder / "exported", "slicer")


BEFORE_REPORT = (verbs.extract, verbs.agree, verbs.fit, verbs.internal,
                 verbs.evaluate, verbs.explain, verbs.freeze)  # fmt: skip
AFTER_EXTRACT = (verbs.agree, verbs.fit, verbs.internal, export)
ALL = (*AFTER_EXTRACT, verbs.evaluate, verbs.explain, verbs.freeze, verbs.report, write_manuscript)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of tables with all but its report; not to be changed."""
    folder = table_study(tmp_path_factory.mktemp("finished") / "study")
    for verb in BEFORE_REPORT:
        verb(open_study(folder))
    return folder


@pytest.fixture
def study(finished: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed."""
    return Path(shutil.copytree(finished, tmp_path / "study"))


# Edited by hand


def edit(path: Path) -> None:
    """Change one character, or byte, of a file; it stays one of its kind."""
    if path.suffix == ".parquet":
        frame = pd.read_parquet(path)
        frame.iloc[0, -1] += 1
        frame.to_parquet(path, index=False)
    else:
        text = path.read_text()
        at = max(text.rfind(digit) for digit in "0123456789")
        other = str((int(text[at]) + 1) % 10) + text[at + 1 :] if at >= 0 else f"{text[-1]} "
        path.write_text(text[:at] + other)


READ_BY = {
    "features.parquet": ("extract", ALL),
    "features.json": ("extract", ALL),
    "extraction.json": ("extract", ALL),
    "overlap.csv": ("extract", (verbs.report, write_manuscript)),
    "acquisition.csv": ("extract", (verbs.freeze, verbs.report, write_manuscript)),
    "agreement.csv": ("agree", (verbs.report, write_manuscript)),
    "fit.json": (
        "fit",
        (verbs.evaluate, verbs.explain, verbs.freeze, verbs.report, write_manuscript),
    ),
    "scores.csv": (
        "fit",
        (verbs.evaluate, verbs.explain, verbs.freeze, verbs.report, write_manuscript),
    ),
    "assessment.json": ("internal", (verbs.report, write_manuscript)),
    "evaluation.json": ("evaluate", (verbs.explain, verbs.freeze, verbs.report, write_manuscript)),
    "explanation.json": ("explain", (verbs.report, write_manuscript)),
    "model.json": ("freeze", (verbs.report, write_manuscript)),
}
"""Result -> the stage that makes it, and the verbs that read it."""


@pytest.mark.parametrize("name", READ_BY)
def test_an_edited_result_is_said_by_whatever_reads_it(study: Path, name: str) -> None:
    """And what makes it makes it again as it was."""
    path, (stage, readers) = study / "results" / name, READ_BY[name]
    before = path.read_bytes()
    if name in ("overlap.csv", "acquisition.csv"):  # of tables there is nothing in them
        path.write_text(path.read_text() + "P00\n")
    else:
        edit(path)
    for verb in readers:
        with pytest.raises(DataError, match=f"{name} .* not as `{stage}` left it") as caught:
            verb(open_study(study))
        assert (caught.value.code, caught.value.file) == ("changed-result", name)
        assert f"`centrum {stage} STUDY` makes it again" in str(caught.value)
    getattr(verbs, stage)(open_study(study))
    assert path.read_bytes() == before


def test_a_deleted_result_is_named_with_what_makes_it(study: Path) -> None:
    (study / "results" / "scores.csv").unlink()
    with pytest.raises(DataError, match=r"scores\.csv is not there.* `centrum fit STUDY`"):
        verbs.evaluate(open_study(study))


@pytest.mark.parametrize(
    "content", [b"", b"null", b"{", b"[1]", b'{"scorer": 3}', b"[" * 5000, b"\xff\xfe"]
)
@pytest.mark.parametrize(
    ("name", "stage", "read"),
    [
        ("fit.json", "fit", left.load_model),
        ("assessment.json", "internal", left.load_internal_validation),
        ("explanation.json", "explain", left.load_explanation),
        ("features.json", "extract", verbs.load_table),
        ("extraction.json", "extract", verbs.load_extraction),
        ("scores.csv", "fit", verbs.evaluate_scores),
    ],
)
def test_a_malformed_result_is_no_traceback_even_if_its_digest_was_forged(
    study: Path, name: str, stage: str, read: Verb, content: bytes
) -> None:
    opened, path = open_study(study), study / "results" / name
    made = opened.stages.read()[stage]
    path.write_bytes(content)
    forged = Made(key=made.key, files=made.files | {name: file_digest(path)})
    opened.stages._write(opened.stages.read() | {stage: forged})
    with pytest.raises(DataError, match=f"{name} .* not as `{stage}` left it"):
        read(opened)


# Older than what they are made of


@pytest.mark.parametrize(
    ("old", "new", "refusing"),
    [
        ("name: Smallest", "name: Smallest\nkeep_names: true", ALL),
        ("name: Smallest", "name: Smallest\ndescribe: [age]", ALL),
        ("classifier: logistic", "classifier: ridge",
         (verbs.evaluate, verbs.freeze, verbs.report, write_manuscript)),
        ("n_resamples: 100", "n_resamples: 101",
         (verbs.freeze, verbs.report, write_manuscript)),
        ("name: Smallest", "name: Another", (verbs.report, write_manuscript)),
    ],
)  # fmt: skip
def test_a_stage_alone_refuses_what_is_older_than_the_protocol(
    study: Path, old: str, new: str, refusing: tuple[Verb, ...]
) -> None:
    path = study / "study.yaml"
    path.write_text(path.read_text().replace(old, new))
    for verb in refusing:
        with pytest.raises(CentrumError, match=r"left is older .* `centrum run STUDY`") as caught:
            verb(open_study(study))
        assert caught.value.code == "stale"


def test_a_stage_alone_refuses_what_is_older_than_the_tables(study: Path) -> None:
    path = study / "senior.csv"
    path.write_text(path.read_text().replace("P00,", "P00,1", 1))
    for verb in ALL:
        with pytest.raises(CentrumError, match="What `extract` left is older"):
            verb(open_study(study))


def test_pseudonyms_that_were_given_make_nothing_old(study: Path) -> None:
    """The key is written by `extract` itself, and read when the study is opened again."""
    rows = read_rows(study)
    for row in rows:
        row["patient"] = f"Roth{row['patient'][1:]}, Anna"
    write_rows(study, rows)
    verbs.extract(open_study(study))
    assert (study / KEY).is_file()
    verbs.agree(open_study(study))


def test_tables_that_change_while_they_are_read_are_old_afterwards(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = verbs.read_study_tables

    def meanwhile(opened: Study) -> object:
        path = study / "resident.csv"
        path.write_text(path.read_text().replace("P00,", "P00,1", 1))
        return read(opened)

    monkeypatch.setattr(verbs, "read_study_tables", meanwhile)
    verbs.extract(open_study(study))
    with pytest.raises(CentrumError, match="What `extract` left is older"):
        verbs.agree(open_study(study))


def test_a_fit_is_kept_under_the_table_that_it_was_made_of(study: Path) -> None:
    """A worker that finds another table than its job names does not fit it."""
    opened = open_study(study)
    source = Source.of(opened.results, opened.protocol)
    edit(opened.results / "features.parquet")
    with pytest.raises(DataError, match="The table of features was changed while it was read"):
        source.load(opened.protocol)


# The record itself


@pytest.mark.parametrize(
    "content",
    ["", "[]", "null", '{"fit": 3}', '{"fit": {"key": 1, "files": {}}}', "[" * 9000, "\udcff",
     '{"fit": {"key": "k"}}', '{"fit": {"key": "k", "files": [], "more": 1}}'],
)  # fmt: skip
def test_a_malformed_record_counts_as_absent(tmp_path: Path, content: str) -> None:
    (tmp_path / "stages.json").write_bytes(content.encode(errors="surrogateescape"))
    stages = Stages(tmp_path)
    assert stages.read() == {}
    stages.done("fit", "k", [])
    assert stages.current("fit", "k")


@pytest.mark.parametrize("name", ["../outside", "link/outside", "a\0b", "x" * 9000, "", "."])
def test_a_path_that_leads_out_of_results_is_not_followed(tmp_path: Path, name: str) -> None:
    results = tmp_path / "results"
    results.mkdir()
    outside = tmp_path / "outside"
    outside.write_text("mine")
    (results / "link").symlink_to(tmp_path)
    left = Made(key="k", files={name: file_digest(outside)})
    stages = Stages(results)
    stages._write({"fit": left})
    assert not stages.current("fit", "k")
    stages.done("fit", "k", [])
    assert outside.read_text() == "mine"


def test_a_stage_that_was_called_otherwise_is_known_by_its_new_name(tmp_path: Path) -> None:
    """Studies until 0.2.2 have recorded their internal validation as `assess`."""
    stages = Stages(tmp_path)
    (tmp_path / "assessment.json").write_text("{}")
    stages.done("internal", "key", [tmp_path / "assessment.json"])
    stages.path.write_text(stages.path.read_text().replace('"internal"', '"assess"'))
    assert stages.current("internal", "key")
    assert set(stages.read()) == {"internal"}


def test_what_a_stage_no_longer_makes_is_taken_away(tmp_path: Path) -> None:
    """Tables and figures of an older design; not what somebody has written himself."""
    stages, names = Stages(tmp_path), ("kept.csv", "old.csv", "edited.csv")
    for name in (*names, "own.csv"):
        (tmp_path / name).write_text(name)
    stages.done("report", "k", [tmp_path / name for name in names])
    (tmp_path / "edited.csv").write_text("by hand")
    stages.done("report", "k", [tmp_path / "kept.csv"])
    assert sorted(p.name for p in tmp_path.glob("*.csv")) == ["edited.csv", "kept.csv", "own.csv"]
    stages.forget("report")
    assert sorted(p.name for p in tmp_path.glob("*.csv")) == ["edited.csv", "own.csv"]
    assert stages.read() == {}


def test_a_run_says_what_was_edited_and_makes_it_again(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Edited scores are not judged, and a manuscript of before is called old."""
    monkeypatch.setattr(verbs, "write_report", lambda *given: ())
    path = study / "results" / "scores.csv"
    (study / "results" / "manuscript").mkdir()
    before = path.read_bytes()
    edit(path)
    found, _ = verbs.run(open_study(study))
    told = {f.code: f.message for f in found.findings}
    assert told["changed-result"] == "scores.csv was not as `fit` left it: it is made again."
    assert told["old-manuscript"].startswith("The manuscript is that of an earlier run.")
    assert path.read_bytes() == before


# Studies of earlier versions


def test_a_study_of_an_earlier_version_is_made_again(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """0.2.0 knew no sequences, and its record had other keys: nothing of it is read."""
    monkeypatch.setattr(verbs, "write_report", lambda *given: ())
    results = study / "results"
    facts = json.loads((results / "extraction.json").read_text())
    del facts["sequences"]
    (results / "extraction.json").write_text(json.dumps(facts))
    opened = open_study(study)
    record = {
        name: Made(key="0.2.0", files={file: file_digest(results / file) for file in made.files})
        for name, made in opened.stages.read().items()
    }
    opened.stages._write(record)
    for verb in ALL:
        with pytest.raises(CentrumError, match=r"What `extract` left is older .*software"):
            verb(open_study(study))
    with pytest.raises(DataError, match=r"extraction\.json .* not as `extract` left it"):
        verbs.load_extraction(open_study(study))
    found, _ = verbs.run(open_study(study))
    assert verbs.load_extraction(open_study(study)).sequences == found.sequences
