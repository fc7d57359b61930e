"""Every page runs as it is printed: one session for each, in a folder of its own."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml
from typer import BadParameter
from typer.main import get_command

from centrum.cli import app
from centrum.cohort import read_manifest
from centrum.features.settings import ExtractionSettings
from centrum.protocol import Protocol, parse_protocol
from centrum.pyradiomics.command_options import parser
from centrum.reading.room import RoomSettings
from centrum.signature.signature import parse_signature
from tests.docs.given import lay_files, studied
from tests.docs.pages import ADDING, PAGES, ROOT, blocks_of, name_of, prose_of
from tests.docs.reader import Reader

PYTHON = ("pycon", "python")
RUNNING = [
    page
    for page in PAGES
    if page not in ADDING
    and page.parent.name != "tutorials"
    and any(b.language in PYTHON and not b.quoted for b in blocks_of(page))
]
CURRENT = [page for page in PAGES if page.name != "CHANGELOG.md"]
YAML = [
    pytest.param(block.text, id=f"{name_of(page)}:{block.line}")
    for page in PAGES
    for block in blocks_of(page)
    if block.language == "yaml" and not block.title
]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return studied(tmp_path_factory.mktemp("given") / "my-study")


@pytest.mark.parametrize("page", RUNNING, ids=name_of)
def test_python_runs(
    page: Path, study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lay_files(tmp_path, study)
    shutil.copytree(study, tmp_path / study.name)
    Reader(page).follow()


@pytest.mark.parametrize("text", YAML)
def test_settings_are_accepted(text: str) -> None:
    keys = set(yaml.safe_load(text))
    if keys <= set(Protocol.model_fields) | {"preset"}:
        parse_protocol(text if "preset" in keys else f"preset: vcf-t2w\n{text}", "page")
    elif keys <= set(RoomSettings.model_fields):
        RoomSettings.model_validate(yaml.safe_load(text))
    elif keys <= set(ExtractionSettings.model_fields):
        ExtractionSettings.model_validate(yaml.safe_load(text))
    else:
        parse_signature(text, "page")


def test_manifests_are_read(tmp_path: Path) -> None:
    texts = [
        b.text for page in PAGES for b in blocks_of(page) if b.text.startswith("case,patient,")
    ]
    assert len(texts) >= 2
    for text in texts:
        (tmp_path / "cases.csv").write_text(text, encoding="utf-8")
        assert read_manifest(tmp_path / "cases.csv").cases


COMMANDS = get_command(app).commands
USAGE = BadParameter.__base__
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = {
    *re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE),
    *(f"bench-{name}" for name in re.findall(r"^BENCHMARKS := (.*)", MAKEFILE, re.M)[0].split()),
}


@pytest.mark.parametrize("page", CURRENT, ids=name_of)
def test_commands_are_known(page: Path) -> None:
    for block in blocks_of(page):
        if block.language == "bash":
            for line in block.text.replace("\\\n", " ").splitlines():
                assert_known(line)
        elif block.language == "text":
            for line in re.findall(r"^ *(?:\$ )?(centrum [a-z].*)", block.text, re.MULTILINE):
                assert_known(line)
    for line in re.findall(r"`((?:centrum|make) [a-z-]+[^`.]*)`", prose_of(page)):
        assert_known(line, whole=False)


def assert_known(line: str, *, whole: bool = True) -> None:
    """The program takes these words; in prose (not `whole`) what it needs may be left out."""
    program, *words = shlex.split(re.sub(r"(^|\s)[#>].*", "", line)) or [""]
    if program == "centrum":
        name, *arguments = words
        command = COMMANDS[name]
        while arguments and hasattr(command, "commands"):
            name, *arguments = arguments
            command = command.commands[name]
        if hasattr(command, "commands") and not whole:
            return
        try:
            command.make_context(name, arguments)
        except BadParameter as error:
            if whole or type(error).__name__ != "MissingParameter":
                raise
    elif program == "make":
        assert words[0] in TARGETS
    elif words[:2] == ["-m", "centrum.pyradiomics"]:
        parser().parse_args(words[2:])
    elif program == "python":
        assert (ROOT / words[0]).is_file()
    else:
        assert program in ("", "pip")


def test_what_is_unknown_is_found() -> None:
    assert_known("centrum run my-study --workers 4  # all of it")
    assert_known("centrum score", whole=False)
    for line in ("centrum score", "centrum run my-study --fast", "centrum walk", "make tea",
                 "centrum pacs burn", "centrum pacs find"):  # fmt: skip
        with pytest.raises((USAGE, KeyError, AssertionError)):
            assert_known(line)
