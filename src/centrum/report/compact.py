"""Fewer bytes for the same picture: SVG without what draws nothing, pixels as WebP."""

import re
from collections.abc import Iterator
from io import BytesIO
from itertools import count
from xml.etree import ElementTree as ET

from PIL import Image

UNITS = 100
"""Steps of a coordinate in a point, which is 1/72 inch: 3.5 micrometres when printed."""

SCREEN_PX = 1600
"""Width of a picture in a page: twice the pixels that it takes on a wide screen."""

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
ET.register_namespace("", SVG)
ET.register_namespace("xlink", XLINK)

USE, GROUP, HREF = f"{{{SVG}}}use", f"{{{SVG}}}g", f"{{{XLINK}}}href"

PLACES = ("x", "y", "width", "height")

_STEP = re.compile(r"([A-Za-z])([^A-Za-z]*)")
_TRANSLATED = re.compile(r"translate\((\S+) (\S+)\)(.*)")
_REFERENCE = re.compile(r"#([^)\s]+)")


def compact_svg(svg: bytes) -> bytes:
    """The same drawing on a grid of `UNITS` steps a point, as SVG 1.1.

    Names are short, paths relative; names that nothing refers to, groups without a meaning and
    points within a straight line are left out. Comments stay: they have the texts, which are drawn
    as outlines.
    """
    root = ET.fromstring(svg, ET.XMLParser(target=ET.TreeBuilder(insert_comments=True)))
    for node in list(root.iter()):
        node.text = (node.text or "").strip() or None
        node.tail = None
        _placed(node)
    _named(root)
    _grouped(root)
    content = ET.tostring(root, encoding="unicode").replace(" />", "/>")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{content}'.encode()


def single_quoted(svg: bytes) -> bytes:
    """A compact drawing with attributes in single quotes, for an address in double ones."""
    return svg if b"'" in svg else svg.replace(b'"', b"'")


def small_webp(png: bytes, quality: int = 90) -> bytes:
    """A picture for the screen, from one that is printed."""
    picture = Image.open(BytesIO(png)).convert("RGB")
    if picture.width > SCREEN_PX:
        height = round(picture.height * SCREEN_PX / picture.width)
        picture = picture.resize((SCREEN_PX, height), Image.Resampling.LANCZOS)
    return webp_bytes(picture, quality)


def webp_bytes(picture: Image.Image, quality: int) -> bytes:
    """A picture as WebP, with the loss of that quality (of 100)."""
    stream = BytesIO()
    picture.save(stream, "WEBP", quality=quality, method=4)
    return stream.getvalue()


# Places


def _placed(node: ET.Element) -> None:
    """Coordinates of a node on the grid, and its style without blanks."""
    if "d" in node.attrib:
        node.set("d", relative_path(node.attrib["d"]))
    for name in PLACES:
        if name in node.attrib and node.tag != f"{{{SVG}}}svg":
            node.set(name, _number(_steps(node.attrib[name])))
    if moved := _TRANSLATED.fullmatch(node.get("transform", "")):
        x, y = (_number(_steps(at)) for at in moved.groups()[:2])
        if node.tag == USE and not moved[3] and not {"x", "y"} & node.attrib.keys():
            del node.attrib["transform"]
            node.attrib |= {name: at for name, at in (("x", x), ("y", y)) if at != "0"}
        else:
            node.set("transform", f"translate({x} {y}){moved[3]}")
    if "style" in node.attrib:
        node.set("style", re.sub(r"([:;]) ", r"\1", node.attrib["style"]))


def _steps(number: str) -> int:
    return round(float(number) * UNITS)


def _number(steps: int) -> str:
    """Steps of the grid as a number, as short as can be.

    >>> _number(-50), _number(1230), _number(0)
    ('-.5', '12.3', '0')
    """
    text = f"{steps / UNITS:.2f}".rstrip("0").rstrip(".")
    return re.sub(r"^(-?)0\.", r"\1.", text)


def relative_path(d: str) -> str:
    """A path of M, L, Q, C and z with steps instead of places.

    What is rounded is the place, so that errors do not add up.

    >>> relative_path("M 10 10 L 20 10 L 30 10 L 30 12.504 L 31 12 L 32 13 z")
    'M10 10h20v2.5l1-.5 1 1z'
    """
    path, last = "", ""
    for command, steps in map(_shortened, _straightened(_relative(d))):
        numbers = " ".join(map(_number, steps)).replace(" -", "-")
        again = command == last != "z" and command != "M"
        path += (" " * (numbers[0] != "-") if again else command) + numbers
        last = command
    return path


def _relative(d: str) -> Iterator[tuple[str, list[int]]]:
    """Commands with their steps: from the current point, those of M from the origin."""
    at = begin = (0, 0)
    for command, rest in _STEP.findall(d):
        places = [_steps(number) for number in rest.split()]
        if command in "zZ":
            at = begin
            yield "z", []
        elif command == "M":
            at = begin = (places[0], places[1])
            yield "M", places
        elif command in "LQC":
            yield command.lower(), [place - at[k % 2] for k, place in enumerate(places)]
            at = (places[-2], places[-1])
        else:
            raise ValueError(f"a path has the command {command!r}, which is not known here")


def _straightened(steps: Iterator[tuple[str, list[int]]]) -> Iterator[tuple[str, list[int]]]:
    """Lines that go on in the same direction as one."""
    held: list[int] | None = None
    for command, places in steps:
        if command == "l" and held and _goes_on(held, places):
            held = [a + b for a, b in zip(held, places, strict=True)]
            continue
        if held:
            yield "l", held
        held = places if command == "l" else None
        if command != "l":
            yield command, places
    if held:
        yield "l", held


def _goes_on(first: list[int], then: list[int]) -> bool:
    (a, b), (c, d) = first, then
    return a * d == b * c and a * c + b * d >= 0 and (a, b) != (0, 0)


def _shortened(found: tuple[str, list[int]]) -> tuple[str, list[int]]:
    """A line along an axis as h or v."""
    match found:
        case "l", [along, 0]:
            return "h", [along]
        case "l", [0, down]:
            return "v", [down]
    return found


# Names and groups


def _named(root: ET.Element) -> None:
    """Short names in the order in which they are given; those that nothing refers to go."""
    texts = [value for node in root.iter() for key, value in node.attrib.items() if key != "id"]
    wanted = {name for text in texts for name in _REFERENCE.findall(text)}
    given = [node.attrib["id"] for node in root.iter() if "id" in node.attrib]
    short = {name: _name(k) for k, name in zip(count(), (n for n in given if n in wanted))}
    for node in root.iter():
        for key, value in list(node.attrib.items()):
            if key == "id":
                del node.attrib["id"]
                node.attrib |= {"id": short[value]} if value in short else {}
            elif "#" in value:
                node.set(
                    key, _REFERENCE.sub(lambda found: f"#{short.get(found[1], found[1])}", value)
                )


def _name(k: int) -> str:
    """Short names: a, b, ..., z, a1, b1, ...

    >>> _name(0), _name(25), _name(26)
    ('a', 'z', 'a1')
    """
    return chr(ord("a") + k % 26) + (str(k // 26) if k > 25 else "")


def _grouped(node: ET.Element) -> None:
    """Groups without a meaning are taken apart; a style that all of a group have is the group's."""
    for child in node:
        _grouped(child)
    children = [each for child in node for each in _apart(child)]
    node[:] = children
    styled = [child for child in children if child.tag is not ET.Comment]
    styles = {child.get("style") for child in styled}
    if node.tag == GROUP and len(styled) > 1 and len(styles) == 1 and "style" not in node.attrib:
        style = styles.pop()
        if style and _inherited(style):
            node.set("style", style)
            for child in styled:
                del child.attrib["style"]


def _apart(child: ET.Element) -> list[ET.Element]:
    if child.tag != GROUP:
        return [child]
    if not len(child):
        return []
    return [child] if child.attrib else list(child)


def _inherited(style: str) -> bool:
    """Whether drawn things take each of these properties from the group that they are in."""
    names = [entry.split(":")[0] for entry in style.split(";") if entry]
    return all(re.fullmatch(r"(fill|stroke)(-\w+)*", name) for name in names)
