"""The site is built without a warning and asks nothing of another host."""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, ROOT

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
LOADED = re.compile(r"<(?:script|link|img|iframe)\b[^>]*?(?:src|href)=[\"']?(?:https?:)?//[^>]*>")
LOADED_BY_STYLE = re.compile(r"(?:url\(|@import )[\"']?(?:https?:)?//[^)\"']*")


MISSING = "the site needs the extra `docs`, which `make docs` installs"


def needed() -> None:
    """Skips where the site cannot be built; in continuous integration that fails."""
    there = all(map(find_spec, ("mkdocs", "material", "mkdocstrings_handlers")))
    if not there and os.environ.get("CI"):
        pytest.fail(MISSING)
    if not there:
        pytest.skip(MISSING)


def test_missing_packages_skip_but_fail_in_continuous_integration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tests.docs.test_site.find_spec", lambda _: None)
    for value, ending in (("1", pytest.fail.Exception), ("", pytest.skip.Exception)):
        monkeypatch.setenv("CI", value)
        with pytest.raises(ending, match="make docs"):
            needed()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    needed()
    folder = tmp_path_factory.mktemp("site")
    words = ["build", "--strict", "--quiet", "--site-dir", str(folder)]
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", *words],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    assert built.stderr == ""
    return folder


def test_every_page_is_built(site: Path) -> None:
    for page in DOCS.rglob("*.md"):
        name = "index" if page.stem == "README" else page.stem
        assert (site / page.relative_to(DOCS).with_name(f"{name}.html")).is_file()


def test_nothing_is_fetched_from_another_host(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert LOADED.findall(page.read_text(encoding="utf-8")) == []
    for sheet in site.rglob("*.css"):
        assert LOADED_BY_STYLE.findall(sheet.read_text(encoding="utf-8")) == []


def test_what_would_be_fetched_is_found() -> None:
    assert LOADED.search('<link rel="stylesheet" href="https://fonts.example/css?family=Roboto">')
    assert LOADED.search('<script src="//cdn.example/shim.js"></script>')
    assert not LOADED.search('<a href="https://doi.org/10.1148/radiol.2020191145">')
    assert LOADED_BY_STYLE.search('@import "https://fonts.example/css"')


def test_the_search_knows_the_python_interface(site: Path) -> None:
    script = (site / "search" / "search_index.js").read_text(encoding="utf-8")
    titles = {page["title"] for page in json.loads(script.removeprefix("var __index = "))["docs"]}
    assert "Cohort" in titles
    assert any("FrozenModel" in title for title in titles)


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="there is no browser")
def test_the_search_runs_in_a_page_that_was_opened_as_a_file(site: Path, tmp_path: Path) -> None:
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}"]
    options += ["--virtual-time-budget=15000", "--dump-dom"]
    address = f"{(site / 'index.html').as_uri()}?q=FrozenModel"
    page = subprocess.run([str(CHROMIUM), *options, address], capture_output=True, text=True)
    assert re.search(r"md-search-result__meta[^>]*>\s*\d+ matching", page.stdout)
    assert "centrum.<mark" in page.stdout


def test_parameters_and_examples_are_told_apart(site: Path) -> None:
    page = (site / "reference" / "python-models.html").read_text(encoding="utf-8")
    icc = page.split('id="centrum.agreement.icc.icc"')[1].split('id="centrum.frozen')[0]
    assert "level of the two-sided interval" in icc
    assert "six_by_four" in icc.split("Examples:")[1]
