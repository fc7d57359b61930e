"""The command line: help, exit codes, JSON, and that it starts fast."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from errno import EACCES, ENOSPC
from io import StringIO
from pathlib import Path
from unittest.mock import Mock, patch

import pytest
from typer.main import get_command

from centrum import __version__
from centrum.cli import (
    BAD_INPUT,
    CASES_FAILED,
    FAULT,
    OK,
    STOPPED,
    TERMINATED,
    _progress,
    _Stopped,
    _Terminated,
    app,
    main,
)
from centrum.errors import TRACEBACK, of_case
from tests.studies import make_study, read_rows, write_rows

COMMANDS = (
    "demo", "simulate", "size", "init", "import", "export", "export-masks", "check", "plan", "run",
    "extract", "gather", "agree", "perturb", "fit", "internal", "evaluate", "explain", "freeze",
    "manuscript", "report", "score", "validate", "decode", "signature", "features", "measure",
    "morphometry", "map", "labels", "bodies", "read", "pacs",
)  # fmt: skip


def centrum(*words: object) -> subprocess.CompletedProcess:
    """What a command prints and how it ends, in this process and alone."""
    terminate, printed, said = signal.getsignal(signal.SIGTERM), StringIO(), StringIO()
    with (
        patch("sys.argv", ["centrum", *map(str, words)]),
        patch("centrum.cli.default_workers", return_value=1),
        redirect_stdout(printed),
        redirect_stderr(said),
        pytest.raises(SystemExit) as stop,
    ):
        main()
    signal.signal(signal.SIGTERM, terminate)
    return subprocess.CompletedProcess(
        words, int(stop.value.code or 0), printed.getvalue(), said.getvalue()
    )


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_study(tmp_path_factory.mktemp("cli") / "study")


def test_every_command_has_help_with_an_example() -> None:
    commands = get_command(app).commands
    shown = {name: command for name, command in commands.items() if not command.hidden}
    assert tuple(shown) == COMMANDS
    assert set(commands) - set(shown) == {"assess"}  # what `internal` was called
    for name, command in shown.items():
        text = command.get_help(command.make_context(name, [], resilient_parsing=True))
        assert f"centrum {name}" in text.split("Examples:")[1]


def test_init_with_a_clinical_table(study: Path, tmp_path: Path) -> None:
    images = tmp_path / "exams"
    for row in read_rows(study)[:4]:
        folder = images / row["case"]
        folder.mkdir(parents=True)
        for kind, name in (("image", "image.nrrd"), ("mask:senior", "mask_R1.nrrd")):
            shutil.copy(study / row[kind], folder / name)
    names = sorted(path.name for path in images.iterdir())
    words = ("Metastase", "Osteoporose")
    lines = [f"{name};{words[k % 2]};{60 + k},5" for k, name in enumerate(names)]
    table = tmp_path / "clinic.csv"
    table.write_text("\n".join(["Pat.-Nr.;Befund;Alter", *lines]))
    said = ("--table", table, "--outcome-column", "befund", "--positive", "Metastase")
    done = centrum("init", images, tmp_path / "new", *said)
    assert done.returncode == OK, done.stderr
    assert "4 of 4 ids of clinic.csv match" in done.stdout
    rows = read_rows(tmp_path / "new")
    assert [row["outcome"] for row in rows] == ["malignant", "osteoporotic"] * 2
    assert [row["age"] for row in rows] == ["60.5", "61.5", "62.5", "63.5"]
    alone = centrum("init", images, tmp_path / "other", "--positive", "Metastase")
    assert alone.returncode == BAD_INPUT
    assert "Add --table FILE." in alone.stderr


def test_help_and_version_import_nothing_heavy() -> None:
    script = (
        "import sys; sys.argv = ['centrum', sys.argv[1]]\n"
        "from centrum.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'pandas', 'scipy', 'sklearn', 'numba', 'SimpleITK', 'matplotlib'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    for word in ("--help", "--version"):
        done = subprocess.run(
            [sys.executable, "-c", script, word], capture_output=True, text=True, check=True
        )
        assert done.stderr.strip() == "[]"
    assert done.stdout.strip() == f"centrum {__version__}"


def test_scoring_starts_without_what_it_does_not_need() -> None:
    script = (
        "import sys, centrum.commands.console, centrum.commands.score\n"
        "heavy = {'pandas', 'pyarrow', 'sklearn', 'imblearn', 'matplotlib', 'scipy.stats'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_from_a_study_to_the_next_patient(study: Path, tmp_path: Path) -> None:
    for verb in ("extract", "fit"):
        assert centrum(verb, study).returncode == OK
    assert centrum("run", study, "--workers", 1).returncode == OK
    model = study / "results" / "model.json"
    one = ("--image", study / "images/P001.nrrd", "--mask", study / "masks/P001_senior.nrrd")
    scored = centrum("score", model, *one, "--out", tmp_path / "one", "--json")
    assert scored.returncode == OK
    (record,) = json.loads(scored.stdout)
    assert record["status"] == "scored"
    assert (tmp_path / "one" / "patient.html").is_file()
    gone = centrum("score", model, "--image", "none.nrrd", "--mask", one[3], "--out", tmp_path)
    assert gone.returncode == CASES_FAILED
    assert "none.nrrd" in gone.stdout
    neither = centrum("score", model)
    assert neither.returncode == BAD_INPUT
    assert "Give either --image and --mask" in neither.stderr
    foreseen = centrum("score", model, study, "--out", tmp_path / "many", "--dry-run")
    assert "30 cases would be scored" in foreseen.stdout
    assert not (tmp_path / "many").exists()
    judged = centrum("validate", model, study, "--out", tmp_path / "val", "--workers", 1)
    assert judged.returncode == OK, judged.stderr
    assert "calibration slope, as is" in judged.stdout
    paper = centrum("manuscript", study, "--external", tmp_path / "val")
    assert paper.returncode == OK, paper.stderr
    assert "METRICS: " in paper.stdout
    kit = study / "results" / "manuscript"
    assert {p.suffix for p in (kit / "figures").iterdir()} == {".svg", ".pdf", ".tiff"}
    wanted = {"manuscript.docx", "checklists.docx", "abstract.md", "methods.md", "results.md",
              "limitations.md", "model-card.md", "data-sheet.md"}  # fmt: skip
    wanted |= {"METRICS.csv", "CLEAR.csv", "TRIPOD+AI.csv"}
    assert wanted <= {p.name for p in kit.iterdir()}
    text = "".join(p.read_text() for p in (*kit.glob("*.md"), *kit.glob("*.csv")))
    assert "patient-" not in text
    assert "30 cases had the very score of a case of the study" in text
    assert "External validation" in (kit / "methods.md").read_text()
    other = tmp_path / "val" / "validation.json"
    other.write_text(other.read_text().replace('"model": "', '"model": "0'))
    refused = centrum("manuscript", study, "--external", tmp_path / "val")
    assert refused.returncode == BAD_INPUT
    assert "of another model" in refused.stderr


def test_tables_in_and_out(study: Path, tmp_path: Path) -> None:
    assert centrum("extract", study).returncode == OK
    done = centrum("export", study, "--format", "slicer", "--out", tmp_path / "out")
    assert done.returncode == OK
    tables = sorted((tmp_path / "out").iterdir(), reverse=True)
    assert [t.name for t in tables] == ["slicer-senior.csv", "slicer-resident.csv"]
    begun = centrum("import", *tables, tmp_path / "new", "--reader", "senior", "--reader",
                    "resident", "--cases", study / "cases.csv")  # fmt: skip
    assert begun.returncode == OK, begun.stderr
    assert "30 of 30 cases can be measured" in centrum("check", tmp_path / "new").stdout
    assert centrum("export", study, "--format", "odd").returncode == BAD_INPUT


def test_published_names_and_scores(study: Path) -> None:
    named = centrum("decode", "Contrast.5", "--settings", "original+wavelet", "--json")
    assert json.loads(named.stdout)[0]["candidates"] == ["wavelet-LHL_ngtdm_Contrast"]
    assert centrum("extract", study).returncode == OK
    found = centrum("signature", "vcf-t2w-2024", study)
    assert found.returncode == OK
    assert "0 can be scored here" in found.stdout
    assert centrum("signature", "none", study).returncode == BAD_INPUT


def test_a_study_step_by_step(study: Path) -> None:
    checked = centrum("check", study, "--json")
    assert (checked.returncode, json.loads(checked.stdout)["failures"]) == (OK, [])
    extracted = centrum("extract", study, "--workers", 1)
    assert "30 cases x 159 features x 2 readers" in extracted.stdout
    assert "of 159 features have an ICC(A,1) above 0.75" in centrum("agree", study).stdout
    assert "intercept" in centrum("fit", study).stdout
    evaluated = json.loads(centrum("evaluate", study, "--json").stdout)
    assert set(evaluated) == {"train", "out_of_fold", "test"}
    assessed = json.loads(centrum("internal", study, "--json", "--workers", 1).stdout)
    assert [part["error"] for part in assessed["parts"]] == [""]
    assert "self-test rows" in centrum("freeze", study).stdout
    assert Path(centrum("report", study).stdout.strip()).is_file()
    ran = centrum("run", study, "--json")
    assert ran.returncode == OK
    assert json.loads(ran.stdout)["auc"]["test"] == evaluated["test"]["auc"]["value"]


def test_maps_of_a_case(study: Path, tmp_path: Path) -> None:
    name = "original_statistics_median"
    mapped = centrum("map", study, "P003", "--feature", name, "--out", tmp_path / "a", "--json")
    assert mapped.returncode == OK, mapped.stderr
    (record,) = json.loads(mapped.stdout)
    assert (record["feature"], record["window"]) == (name, "5.4 × 4.4 × 5.4 mm")
    assert Path(record["image"]).is_file()
    told = centrum("map", study, "P003", "--feature", name, "--window", 3, "--out", tmp_path / "b")
    assert "window 3 × 4.4 × 3 mm" in told.stdout
    assert "patient-3" not in mapped.stdout + told.stdout
    for words in ((study,), (study, "P003", "--image", "a.nrrd", "--mask", "b.nrrd")):
        wrong = centrum("map", *words, "--out", tmp_path / "c")
        assert wrong.returncode == BAD_INPUT
        assert "Give either a STUDY with a CASE" in wrong.stderr


def test_a_failed_case_shows_in_the_exit_code(study: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(study, tmp_path / "study"))
    (folder / "images" / "P004.nrrd").unlink()
    done = centrum("extract", folder, "--workers", 1)
    assert done.returncode == CASES_FAILED
    assert "cannot be measured and are left out:\n  P004: " in done.stdout
    assert "patient-4" not in done.stdout + done.stderr


def test_bad_input_is_one_message_and_no_traceback(tmp_path: Path) -> None:
    for words in (("run", tmp_path), ("features", "--dialect", "x"), ("init", tmp_path / "none")):
        done = centrum(*words)
        assert done.returncode == BAD_INPUT
        assert done.stderr.startswith("Error: ")
        assert "Traceback" not in done.stderr


def test_an_error_is_json_for_scripts_too(tmp_path: Path) -> None:
    done = centrum("check", tmp_path, "--json")
    assert done.returncode == BAD_INPUT
    (problem,) = json.loads(done.stdout)["problems"]
    assert (problem["code"], problem["file"]) == ("no-protocol", "study.yaml")


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture) -> Iterator[Callable]:
    """Exit code, output and errors of `centrum features`, with what it calls raising an error."""
    terminate = signal.getsignal(signal.SIGTERM)
    monkeypatch.delenv(TRACEBACK, raising=False)

    def run(error: BaseException, *words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("centrum.commands.begin.features", Mock(side_effect=error))
        monkeypatch.setattr(sys, "argv", ["centrum", "features", *words])
        with pytest.raises(SystemExit) as stop:
            main()
        return int(stop.value.code or 0), *capfd.readouterr()

    yield run
    os.environ.pop(TRACEBACK, None)
    signal.signal(signal.SIGTERM, terminate)


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (KeyError("cutoff"), FAULT, "This is a fault of centrum: KeyError \"'cutoff'\". --trace"),
        (EOFError("Ran out of input"), FAULT, "This is a fault of centrum: "),
        (RecursionError("deep"), FAULT, "This is a fault of centrum: RecursionError"),
        (MemoryError(), BAD_INPUT, "Memory is wanting. Run the same command again with fewer"),
        (OSError(ENOSPC, "No space left", "/home/me/x.csv"), BAD_INPUT, "No space left: x.csv. M"),
        (PermissionError(EACCES, "Denied", "/a/x.csv"), BAD_INPUT, "Denied: x.csv. Allow it to"),
        (KeyboardInterrupt(), STOPPED, "Stopped. "),
        (_Terminated(), TERMINATED, "Stopped. "),
    ],
)
def test_whatever_ends_a_command_is_told_in_a_line(
    ended: Callable, error: BaseException, code: int, told: str
) -> None:
    found, _, said = ended(error)
    assert found == code
    assert told in said
    assert len(said.strip().splitlines()) == 1
    assert "Aborted" not in said


@pytest.mark.parametrize("words", [["--traceback"], ["--dialect", "ibsi", "--traceback"]])
def test_where_it_happened_is_shown_if_it_is_wanted(ended: Callable, words: list[str]) -> None:
    code, _, said = ended(KeyError("cutoff"), *words)
    assert code == FAULT
    assert "Traceback (most recent call last)" in said


def test_a_fault_is_json_for_scripts_too(ended: Callable) -> None:
    code, printed, _ = ended(KeyError("cutoff"), "--json")
    assert code == FAULT
    assert json.loads(printed)["problems"][0]["code"] == "fault"


def test_where_a_case_failed_is_shown_and_not_in_its_error(
    capfd: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert of_case(TypeError("odd")).code == "unexpected"
    assert capfd.readouterr().err == ""
    monkeypatch.setenv(TRACEBACK, "1")
    assert "Traceback" not in str(of_case(TypeError("odd")))
    assert "TypeError: odd" in capfd.readouterr().err


def test_what_stops_a_run_shows_in_the_exit_code(study: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(study, tmp_path / "study"))
    rows = read_rows(folder)
    write_rows(folder, [row | {"outcome": "malignant"} for row in rows])
    for words in (("check", folder, "--workers", 1), ("run", folder, "--dry-run")):
        done = centrum(*words)
        assert done.returncode == CASES_FAILED
        assert "These stop `centrum run`:\n  All 30 eligible cases have the" in done.stdout
    write_rows(folder, rows)
    foreseen = centrum("run", folder, "--dry-run")
    assert foreseen.returncode == OK
    assert "internal: design single" in foreseen.stdout


def test_what_is_kept_is_said_when_a_run_is_stopped() -> None:
    def stopped() -> None:
        with _progress() as progress:
            progress("Measuring cases", 3, 30)
            raise KeyboardInterrupt

    with pytest.raises(_Stopped, match="Measuring cases: 3 of 30 are done and kept"):
        stopped()


def test_features_are_listed_in_both_dialects() -> None:
    rows = json.loads(centrum("features", "--json").stdout)
    assert {"ACUI", "RNU0", "Q4LE", "X6K6"} <= {row["code"] for row in rows}
    assert "glcm_Contrast" in centrum("features", "--dialect", "pyradiomics").stdout


def test_simulate_does_not_overwrite_a_real_study(study: Path) -> None:
    done = centrum("simulate", study)
    assert done.returncode == BAD_INPUT
    assert "not of simulated patients" in done.stderr
