"""The search for markers finds one in every container, in every spelling: so that it can fail."""

import base64
import gzip
import json
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path

import docx
import matplotlib.figure
import openpyxl
import pandas as pd
import pytest
from PIL import Image, PngImagePlugin

from centrum.report.glyphs import fit_text
from tests.markers import found_in

NAME, DATE = "Grünwäldchen", "12.03.1948"


def _docx(path: Path, text: str) -> None:
    document = docx.Document()
    document.add_paragraph(text)
    document.save(path)


def _xlsx(path: Path, text: str) -> None:
    book = openpyxl.Workbook()
    book.active["B7"] = text
    book.save(path)


def _parquet(path: Path, text: str) -> None:
    pd.DataFrame({"case": [text, "b"], "n": [1, 2]}).to_parquet(path)


def _parquet_metadata(path: Path, text: str) -> None:
    frame = pd.DataFrame({"n": [1]})
    frame.attrs["about"] = text
    frame.to_parquet(path)


def _figure(path: Path, text: str) -> None:
    figure = matplotlib.figure.Figure()
    figure.suptitle(text)
    fit_text(figure)
    figure.savefig(path)


def _pdf_title(path: Path, text: str) -> None:
    matplotlib.figure.Figure().savefig(path, metadata={"Title": text})


def _png(path: Path, text: str, compressed: bool = False) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_itxt("Title", text, zip=compressed)
    Image.new("L", (4, 4)).save(path, pnginfo=info)


def _tiff(path: Path, text: str) -> None:
    Image.new("L", (4, 4)).save(path, tiffinfo={270: text.encode()}, compression="tiff_lzw")


def _page_with_picture(path: Path, text: str) -> None:
    _png(path.with_suffix(".png"), text, compressed=True)
    packed = base64.b64encode(path.with_suffix(".png").read_bytes()).decode()
    path.with_suffix(".png").unlink()
    path.write_text(f"<img src='data:image/png;base64,{packed}'>")


def _name(path: Path, text: str) -> None:
    (path.parent / f"{text} {path.name}").touch()


CONTAINERS: dict[str, Callable[[Path, str], object]] = {
    "a.txt": lambda path, text: path.write_text(text, encoding="utf-8"),
    "latin.txt": lambda path, text: path.write_text(
        unicodedata.normalize("NFC", text), encoding="latin-1"
    ),
    "wide.txt": lambda path, text: path.write_text(text, encoding="utf-16"),
    "a.json": lambda path, text: path.write_text(json.dumps({"case": text})),
    "a.html": lambda path, text: path.write_text(
        "<p>" + "".join(f"&#{ord(c)};" for c in text), encoding="ascii"
    ),
    "a.txt.gz": lambda path, text: path.write_bytes(gzip.compress(text.encode())),
    "a.docx": _docx,
    "a.xlsx": _xlsx,
    "a.parquet": _parquet,
    "metadata.parquet": _parquet_metadata,
    "a.png": _png,
    "packed.png": lambda path, text: _png(path, text, compressed=True),
    "a.tiff": _tiff,
    "a.pdf": _figure,
    "title.pdf": _pdf_title,
    "a.svg": _figure,
    "picture.html": _page_with_picture,
    "named": _name,
}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_marker_is_found_in_every_container(tmp_path: Path, container: str, form: str) -> None:
    CONTAINERS[container](tmp_path / container, unicodedata.normalize(form, f"case {NAME}"))
    assert found_in(tmp_path, [NAME])


@pytest.mark.parametrize("text", [NAME.upper(), "gruenwaeldchen", "GRUNWALDCHEN", "GRÜNWÄLDCHEN_7"])
def test_a_name_is_found_in_every_spelling(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    assert found_in(tmp_path, [NAME])


def test_a_date_is_found_in_a_zip_member_and_digits_of_a_number_are_none(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr("word/document.xml", f"<t>{DATE}</t>")
    (tmp_path / "numbers.csv").write_text("0.19480312,219480312\n")
    assert found_in(tmp_path, [DATE, "19480312"]) == [("a.zip", DATE)]
