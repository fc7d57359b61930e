"""The command line: help, exit codes, JSON, and that it starts fast."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from centrum import __version__
from centrum.cli import BAD_INPUT, CASES_FAILED, OK, app
from tests.studies import make_study

COMMANDS = ("demo", "simulate", "init", "check", "run", "extract", "agree", "perturb", "fit",
            "assess", "evaluate", "report", "features", "morphometry")  # fmt: skip


def centrum(*words: object) -> subprocess.CompletedProcess:
    script = "import sys; from centrum.cli import main; sys.argv[0] = 'centrum'; main()"
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_study(tmp_path_factory.mktemp("cli") / "study")


def test_every_command_has_help_with_an_example() -> None:
    commands = get_command(app).commands
    assert tuple(commands) == COMMANDS
    for name, command in commands.items():
        text = command.get_help(command.make_context(name, [], resilient_parsing=True))
        assert f"centrum {name}" in text.split("Examples:")[1]


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


def test_a_study_step_by_step(study: Path) -> None:
    checked = centrum("check", study, "--json")
    assert (checked.returncode, json.loads(checked.stdout)["failures"]) == (OK, [])
    extracted = centrum("extract", study, "--workers", 1)
    assert "30 cases x 159 features x 2 readers" in extracted.stdout
    assert "of 159 features have an ICC(A,1) above 0.75" in centrum("agree", study).stdout
    assert "intercept" in centrum("fit", study).stdout
    evaluated = json.loads(centrum("evaluate", study, "--json").stdout)
    assert set(evaluated) == {"train", "out_of_fold", "test"}
    assessed = json.loads(centrum("assess", study, "--json", "--workers", 1).stdout)
    assert [part["error"] for part in assessed["parts"]] == [""]
    assert Path(centrum("report", study).stdout.strip()).is_file()
    ran = centrum("run", study, "--json")
    assert ran.returncode == OK
    assert json.loads(ran.stdout)["auc"]["test"] == evaluated["test"]["auc"]["value"]


def test_a_failed_case_shows_in_the_exit_code(study: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(study, tmp_path / "study"))
    (folder / "images" / "P004.nrrd").unlink()
    done = centrum("extract", folder, "--workers", 1)
    assert done.returncode == CASES_FAILED
    assert "failed: P004: " in done.stdout
    assert "patient-4" not in done.stdout + done.stderr


def test_bad_input_is_one_message_and_no_traceback(tmp_path: Path) -> None:
    for words in (("run", tmp_path), ("features", "--dialect", "x"), ("init", tmp_path / "none")):
        done = centrum(*words)
        assert done.returncode == BAD_INPUT
        assert done.stderr.startswith("Error: ")
        assert "Traceback" not in done.stderr


def test_features_are_listed_in_both_dialects() -> None:
    rows = json.loads(centrum("features", "--json").stdout)
    assert {"ACUI", "RNU0", "Q4LE", "X6K6"} <= {row["code"] for row in rows}
    assert "glcm_Contrast" in centrum("features", "--dialect", "pyradiomics").stdout


def test_simulate_does_not_overwrite_a_real_study(study: Path) -> None:
    done = centrum("simulate", study)
    assert done.returncode == BAD_INPUT
    assert "not of simulated patients" in done.stderr
