"""Fewer bytes, the same picture: places on a fine grid, names that still lead somewhere."""

import re
from io import BytesIO
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, strategies as st
from matplotlib.figure import Figure
from PIL import Image

from centrum.report.compact import (
    SCREEN_PX,
    UNITS,
    compact_svg,
    relative_path,
    single_quoted,
    small_webp,
)

PLACE = st.floats(-3000, 3000, allow_nan=False)
POINT = st.tuples(PLACE, PLACE)
SEGMENT = st.one_of(
    st.tuples(st.just("L"), st.lists(POINT, min_size=1, max_size=1)),
    st.tuples(st.just("Q"), st.lists(POINT, min_size=2, max_size=2)),
    st.tuples(st.just("C"), st.lists(POINT, min_size=3, max_size=3)),
    st.just(("z", [])),
)
HALF_A_STEP = 0.5 / UNITS + 1e-9


def absolute(d: str) -> list[tuple[float, float]]:
    """The places that a path of M, l, h, v, q, c and z goes to, and those that bend it."""
    places, at, begin = [], np.zeros(2), np.zeros(2)
    for command, rest in re.findall(r"([Mlhvqcz])([^A-Za-z]*)", d):
        numbers = [float(n) for n in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", rest)]
        if command in "hv":
            numbers = [n for step in numbers for n in ((step, 0) if command == "h" else (0, step))]
        points = np.reshape(numbers, (-1, 2))
        size = {"q": 2, "c": 3}.get(command, 1)
        for k, point in enumerate(points):
            places.append(tuple(point if command == "M" else at + point))
            if k % size == size - 1:
                at = np.array(places[-1])
        begin = at if command == "M" else begin
        at = begin if command == "z" else at
    return places


@given(POINT, st.lists(SEGMENT, max_size=12))
def test_every_place_lies_within_half_a_step_of_where_it_was(
    first: tuple[float, float], segments: list[tuple[str, list[tuple[float, float]]]]
) -> None:
    wanted = [first, *(point for _, points in segments for point in points)]
    words = [f"M {first[0]:.6f} {first[1]:.6f}"]
    words += [
        " ".join([command, *(f"{x:.6f} {y:.6f}" for x, y in points)])
        for command, points in segments
    ]
    found = absolute(relative_path(" \n".join(words)))
    nearest = iter(found)
    for x, y in found:
        assert min(max(abs(x - a), abs(y - b)) for a, b in wanted) <= HALF_A_STEP + 1e-6
    if len(found) == len(wanted):
        for (x, y), (a, b) in zip(nearest, wanted, strict=True):
            assert max(abs(x - a), abs(y - b)) <= HALF_A_STEP + 1e-6


def test_only_points_within_a_straight_line_are_left_out() -> None:
    line = "M 0 0 L 1 0 L 2 0 L 2 0 L 5 0 L 4 0 L 4 1 L 4 3 L 5 4 L 7 6"
    assert relative_path(line) == "M0 0h5-1v3l3 3"
    errors = " ".join(f"L {k * 0.104:.6f} {0.004 * (k % 2):.6f}" for k in range(1, 1001))
    end = absolute(relative_path(f"M 0 0 {errors}"))[-1]
    assert end == pytest.approx((104, 0), abs=HALF_A_STEP)


def test_a_command_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="'A'"):
        relative_path("M 0 0 A 5 5 0 0 1 10 10")


@pytest.fixture(scope="module")
def drawings() -> tuple[bytes, bytes]:
    """A figure with markers, text, an image, clips and fills, as matplotlib writes it; and less."""
    figure = Figure(figsize=(3, 2))
    left, right = figure.subplots(1, 2)
    left.plot(np.linspace(0, 1, 50), np.sin(np.linspace(0, 9, 50)), "o-", alpha=0.4, label="s'1")
    left.fill_between([0, 1], [0, 1], [1, 2], alpha=0.2, hatch="//")
    left.legend()
    right.imshow(np.eye(3))
    right.set_title("Simulated")
    stream = BytesIO()
    figure.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue(), compact_svg(stream.getvalue())


def test_a_drawing_is_less_than_half_of_it(drawings: tuple[bytes, bytes]) -> None:
    before, after = drawings
    assert len(after) < 0.6 * len(before)
    assert compact_svg(before) == after


def test_names_lead_to_what_they_led_to(drawings: tuple[bytes, bytes]) -> None:
    texts = [text.decode() for text in drawings]
    roots = [ET.fromstring(text) for text in texts]
    named = [{n.attrib["id"]: n for n in root.iter() if "id" in n.attrib} for root in roots]
    links = [re.findall(r'(?:url\(|href=")#([^")]+)', text) for text in texts]
    assert len(links[0]) == len(links[1]) > 50
    for before, after in zip(*links, strict=True):
        assert named[0][before].tag == named[1][after].tag
    assert set(named[1]) == set(links[1])
    assert all(len(name) < 4 for name in named[1])


def test_as_much_is_drawn_and_texts_can_be_searched(drawings: tuple[bytes, bytes]) -> None:
    before, after = (text.decode() for text in drawings)
    for tag in ("path", "use", "image", "clipPath", "rect"):
        assert len(re.findall(rf"<{tag}\b", before)) == len(re.findall(rf"<{tag}\b", after)), tag
    assert re.findall(r"<!-- ?(.*?) ?-->", before) == re.findall(r"<!--(.*?)-->", after)


def test_a_style_that_all_share_is_said_once(drawings: tuple[bytes, bytes]) -> None:
    root = ET.fromstring(drawings[1])
    for group in root.iter("{http://www.w3.org/2000/svg}g"):
        styles = [child.get("style") for child in group]
        if len(styles) > 1 and len(set(styles)) == 1 and styles[0] and "style" not in group.attrib:
            assert "opacity:" in styles[0].replace("-opacity:", "")


def test_single_quotes_change_nothing(drawings: tuple[bytes, bytes]) -> None:
    assert b"'" in drawings[1]
    assert single_quoted(drawings[1]) == drawings[1]
    plain = drawings[1].replace(b"s'1", b"s1")
    turned = single_quoted(plain)
    assert b'"' not in turned
    pairs = zip(ET.fromstring(plain).iter(), ET.fromstring(turned).iter(), strict=True)
    assert all(a.attrib == b.attrib for a, b in pairs)


@pytest.mark.parametrize("size", [(2066, 1700), (700, 300)])
def test_a_picture_for_the_screen_keeps_its_shape_and_colours(size: tuple[int, int]) -> None:
    picture = Image.linear_gradient("L").resize(size).convert("RGB")
    picture.paste((230, 159, 0), (0, 0, size[0] // 2, size[1] // 2))
    stream = BytesIO()
    picture.save(stream, "PNG")
    shown = Image.open(BytesIO(small_webp(stream.getvalue())))
    assert shown.width == min(size[0], SCREEN_PX)
    assert shown.height == round(size[1] * shown.width / size[0])
    wanted = np.asarray(picture.resize(shown.size), dtype=float)
    assert np.abs(np.asarray(shown) - wanted).mean() < 3


@pytest.mark.parametrize(
    ("style", "shared"), [("fill: red; stroke-width: 2", 1), ("opacity: .5", 2)]
)
def test_only_what_is_inherited_is_the_group_s(style: str, shared: int) -> None:
    path = f'<path d="M 0 0 L 1 1" style="{style}"/>'
    whole = f'<svg xmlns="http://www.w3.org/2000/svg"><g>{path}{path}</g></svg>'
    assert compact_svg(whole.encode()).count(b"style=") == shared
