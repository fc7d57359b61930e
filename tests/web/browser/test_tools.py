"""Each tool drawn by mouse: what is recorded is bit by bit what the geometry of the events says."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image

from tests.web.browser.places import GRIDS, SIZE, SPACING, Room
from tests.web.browser.sight import Eyes, brushed, inside, pixels_of

COLUMNS, ROWS, SLICES = SIZE
SHAPE = (ROWS, COLUMNS)
BODY = [(9, 8), (20, 9.5), (30, 8), (29, 16), (31, 25), (20, 23), (9, 25), (10, 16)]
"""A body with hollow sides, in pixels."""

PIXELS = """async (token) => {
  const answer = await fetch(`/api/t/${token}/pixels`);
  return [...new Int16Array(await answer.arrayBuffer())];
}"""


@pytest.mark.parametrize("case", GRIDS)
def test_a_polygon_is_signed_on_the_grid_of_the_image(eyes: Eyes, room: Room, case: str):
    """Every voxel has its own value: those of the mask have the values that were drawn on."""
    eyes.open(case)
    drawn_on = eyes.slice
    outline = eyes.outline(BODY)
    for k in range(GRIDS[case][0][2]):
        if k != drawn_on:
            eyes.press("Home", *["PageDown"] * k, "x")
    eyes.press("s")
    eyes.page.click("dialog button.main")
    eyes.page.wait_for_selector(".bar.signed")

    drawn = shown_pixels(eyes)[drawn_on][inside([outline], *SHAPE)]
    image, mask = room.stored(case), room.signed_mask(case)
    values, found = sitk.GetArrayFromImage(image), sitk.GetArrayFromImage(mask)
    assert len(drawn) > 200
    assert np.array_equal(found != 0, np.isin(values, drawn))
    for fact in ("GetSize", "GetSpacing", "GetOrigin", "GetDirection"):
        assert np.allclose(getattr(mask, fact)(), getattr(image, fact)(), rtol=0, atol=1e-12)


SCREENS = [(1, 1), (1.5, 1), (2, 1), (1, 0.9), (1, 1.5), (1, 2)]
"""Device pixels of a CSS pixel, and page zoom."""


@pytest.mark.parametrize(("scale", "zoom"), SCREENS)
def test_on_every_screen_a_polygon_lies_where_it_was_clicked(
    browser: Any, room: Room, scale: float, zoom: float
):
    with Eyes.before(browser, room, scale, zoom) as eyes:
        eyes.open()
        check_outline(eyes)
        check_screen(eyes, scale * zoom)


@pytest.mark.parametrize("zoom", [0.9, 1.5])
def test_a_page_that_css_zooms_is_drawn_on_where_it_was_clicked(eyes: Eyes, zoom: float):
    """In browsers whose `offsetX` knows nothing of zoom masks became 22-125 % too large."""
    eyes.page.evaluate(f"document.documentElement.style.zoom = {zoom}")
    eyes.open()
    check_outline(eyes)
    check_screen(eyes, 1)


def check_outline(eyes: Eyes) -> None:
    outline: list[list[list[float]]] = []
    (edit,) = eyes.sent(lambda: outline.append(eyes.outline(BODY)))
    (polygon,) = edit["content"]["polygons"]
    assert np.allclose(polygon, outline[0], rtol=0, atol=1e-9)
    assert np.array_equal(recorded(eyes), inside(outline, *SHAPE))


def check_screen(eyes: Eyes, device: float) -> None:
    """Voxels are seen where the page says that they lie: in their middle and near each side."""
    eyes.press("i", "o")
    across, down = np.arange(8, 24), np.arange(8, 22)
    told = shown_pixels(eyes)[eyes.slice][np.ix_(down, across)].ravel()
    frame = eyes.frame
    left, top = np.floor(frame.exact((across[0] - 1, down[0] - 1)))
    right, bottom = np.ceil(frame.exact((across[-1] + 1, down[-1] + 1)))
    clip = {"x": left, "y": top, "width": right - left, "height": bottom - top}
    picture = Image.open(BytesIO(eyes.page.screenshot(clip=clip))).convert("L")
    seen = np.asarray(picture, dtype=float)
    for dx, dy in ((0, 0), (0.35, 0), (-0.35, 0), (0, 0.35), (0, -0.35)):
        x = (frame.exact((across + dx, 0))[0] - left) * device
        y = (frame.exact((0, down + dy))[1] - top) * device
        there = seen[np.ix_(y.astype(int), x.astype(int))].ravel()
        assert np.corrcoef(there, told)[0, 1] > 0.98


def shown_pixels(eyes: Eyes) -> np.ndarray:
    """What the page got, [slice, row, column]."""
    return np.array(eyes.page.evaluate(PIXELS, eyes.token)).reshape(-1, *SHAPE)


def recorded(eyes: Eyes, k: int | None = None) -> np.ndarray:
    """A slice as the server has it."""
    eyes.saved()
    token = eyes.token
    view = eyes.page.evaluate(f"fetch('/api/t/{token}').then((answer) => answer.json())")
    content = view["state"]["slices"][eyes.slice if k is None else k]["content"]
    if content is None or content["kind"] == "nobody":
        return np.zeros(SHAPE, dtype=bool)
    if content["kind"] == "runs":
        return pixels_of(content["runs"], SHAPE)
    return inside(content["polygons"], *SHAPE)


def content(eyes: Eyes) -> dict[str, Any] | None:
    eyes.saved()
    return eyes.journal[-1]["payload"]["content"]


class TestPolygon:
    def test_a_vertex_is_dragged(self, eyes: Eyes):
        eyes.open()
        outline = eyes.outline(BODY)
        *_, outline[4] = eyes.drag([BODY[4], (34, 29)])
        assert np.allclose(content(eyes)["polygons"], [outline], rtol=0, atol=1e-9)
        assert np.array_equal(recorded(eyes), inside([outline], *SHAPE))

    def test_a_double_click_on_an_edge_adds_a_vertex(self, eyes: Eyes):
        eyes.open()
        outline = eyes.outline(BODY)
        middle = ((BODY[2][0] + BODY[3][0]) / 2, (BODY[2][1] + BODY[3][1]) / 2)
        frame = eyes.frame
        place = frame.place(middle)
        eyes.page.mouse.dblclick(*place)
        outline.insert(3, frame.voxel(place))
        assert np.allclose(content(eyes)["polygons"], [outline], rtol=0, atol=1e-9)

    def test_tab_walks_the_vertices_and_delete_removes_one(self, eyes: Eyes):
        eyes.open()
        outline = eyes.outline(BODY)
        eyes.saved().press("Tab", "Tab")
        assert "point 2 of 8" in eyes.said()
        eyes.press("Delete")
        left = [outline[:1] + outline[2:]]
        assert np.allclose(content(eyes)["polygons"], left, rtol=0, atol=1e-9)

    def test_arrows_nudge_a_vertex_by_a_quarter(self, eyes: Eyes):
        eyes.open()
        outline = eyes.outline(BODY)
        eyes.press("Tab", "ArrowRight", "ArrowUp", "ArrowUp", "Shift+ArrowLeft")
        outline[0] = [outline[0][0] + 0.25 - 1, outline[0][1] - 0.5]
        assert np.allclose(content(eyes)["polygons"], [outline], rtol=0, atol=1e-9)

    def test_tab_leaves_the_slice_after_the_last_vertex(self, eyes: Eyes):
        """No trap for the keyboard."""
        eyes.open()
        eyes.outline(BODY)
        eyes.press(*["Tab"] * (len(BODY) + 1))
        assert not eyes.page.locator(".overlay:focus").count()

    def test_an_outline_apart_is_a_second_piece(self, eyes: Eyes):
        eyes.open()
        first = eyes.outline([(3, 3), (9, 3), (9, 9)])
        second = eyes.outline([(20, 20), (30, 20), (30, 30)])
        assert np.allclose(content(eyes)["polygons"], [first, second], rtol=0, atol=1e-9)

    def test_an_outline_over_another_takes_its_place(self, eyes: Eyes):
        eyes.open()
        eyes.outline(BODY)
        second = eyes.outline([(12.6, 11.4), (36, 11), (36, 30)])
        assert np.allclose(content(eyes)["polygons"], [second], rtol=0, atol=1e-9)

    def test_undo_takes_the_last_point_of_an_open_outline(self, eyes: Eyes):
        eyes.open()
        eyes.click(*BODY[:4])
        eyes.press("Control+z")
        point, _ = eyes.click((20, 23), BODY[0])
        (polygon,) = content(eyes)["polygons"]
        assert len(polygon) == 4
        assert np.allclose(polygon[3], point, rtol=0, atol=1e-9)

    def test_an_outline_between_pixel_centres_is_not_recorded(self, eyes: Eyes):
        eyes.open()
        eyes.outline([(12.2, 12.2), (12.8, 12.2), (12.8, 12.8)])
        assert "holds no pixel" in eyes.said()
        assert eyes.kinds == []


def test_freehand_is_the_way_of_the_hand(eyes: Eyes):
    eyes.open()
    eyes.press("h")
    path = eyes.drag(BODY)
    assert content(eyes)["kind"] == "polygons"
    assert np.allclose(content(eyes)["polygons"], [path], rtol=0, atol=1e-9)
    assert np.array_equal(recorded(eyes), inside([path], *SHAPE))


COALESCED = """(places) => {
  const overlay = document.querySelector(".overlay");
  const event = ([clientX, clientY], more = {}) => new PointerEvent("pointermove", {
    pointerId: 1, isPrimary: true, bubbles: true, clientX, clientY, ...more,
  });
  const coalescedEvents = places.map((place) => event(place));
  overlay.dispatchEvent(event(places.at(-1), { coalescedEvents }));
}"""


def test_events_that_the_browser_bundles_are_all_drawn(eyes: Eyes):
    eyes.open()
    eyes.press("h")
    frame = eyes.frame
    places = [frame.place(point) for point in BODY]
    eyes.page.mouse.move(*places[0])
    eyes.page.mouse.down()
    eyes.page.evaluate(COALESCED, places[1:])
    eyes.page.mouse.up()
    path = [frame.voxel(place) for place in places]
    assert np.allclose(content(eyes)["polygons"], [path], rtol=0, atol=1e-9)


FINGER = """([x, y]) => {
  const overlay = document.querySelector(".overlay");
  const event = { pointerId: 7, isPrimary: false, bubbles: true, clientX: x, clientY: y };
  for (const name of ["down", "move", "up"]) {
    overlay.dispatchEvent(new PointerEvent(`pointer${name}`, event));
  }
}"""


def test_a_second_finger_draws_nothing(eyes: Eyes):
    eyes.open()
    eyes.press("h")
    frame = eyes.frame
    places = [frame.place(point) for point in BODY]
    eyes.page.mouse.move(*places[0])
    eyes.page.mouse.down()
    for place in places[1:]:
        eyes.page.evaluate(FINGER, frame.place((2, 2)))
        eyes.page.mouse.move(*place)
    eyes.page.mouse.up()
    path = [frame.voxel(place) for place in places]
    assert np.allclose(content(eyes)["polygons"], [path], rtol=0, atol=1e-9)


def test_a_fast_brush_leaves_no_gap_and_is_round_in_mm(eyes: Eyes):
    """Three events across the body; the slice's pixels are not square."""
    eyes.open()
    eyes.press("b", "[", "[")
    path = eyes.drag([(8, 8), (30, 12), (25, 28)])
    radius = float(eyes.page.locator(".size").inner_text().split()[0]) / 2
    assert radius < 3
    expected = brushed(path, radius, (SPACING[1], SPACING[0]), SHAPE)
    assert np.array_equal(recorded(eyes), expected)
    assert eyes.journal[-1]["tool"] == "brush"


def test_the_eraser_takes_away_what_it_passes(eyes: Eyes):
    eyes.open()
    outline = eyes.outline(BODY)
    eyes.press("e")
    path = eyes.drag([(20, 5), (20, 20)])
    gone = brushed(path, 3.0, (SPACING[1], SPACING[0]), SHAPE)
    assert np.array_equal(recorded(eyes), inside([outline], *SHAPE) & ~gone)
    assert eyes.journal[-1]["tool"] == "eraser"


def test_ctrl_swaps_brush_and_eraser(eyes: Eyes):
    eyes.open()
    outline = eyes.outline(BODY)
    eyes.press("b")
    eyes.page.keyboard.down("Control")
    path = eyes.drag([(20, 5), (20, 20)])
    eyes.page.keyboard.up("Control")
    gone = brushed(path, 3.0, (SPACING[1], SPACING[0]), SHAPE)
    assert np.array_equal(recorded(eyes), inside([outline], *SHAPE) & ~gone)


def test_clear_and_no_body_are_states_of_a_slice(eyes: Eyes):
    eyes.open()
    k = eyes.slice
    eyes.outline(BODY)
    assert eyes.states()[k] == "drawn"
    eyes.press("x")
    assert (eyes.states()[k], content(eyes)) == ("nobody", {"kind": "nobody"})
    eyes.press("x")
    assert (eyes.states()[k], content(eyes)) == ("open", None)


def test_the_window_of_the_level_is_that_of_the_greys_around_it(eyes: Eyes):
    """From the 1st to the 99th percentile within 30 mm, which here is the whole slice."""
    eyes.open()
    low, high = np.percentile(shown_pixels(eyes)[eyes.slice], (1, 99), method="lower")
    readout = eyes.page.locator(".readout").inner_text()
    assert f"W {round(high - low)} " in readout
    eyes.press("2")
    assert f"W {round(high - low)} " not in eyes.page.locator(".readout").inner_text()
    eyes.press("0")
    assert eyes.page.locator(".readout").inner_text() == readout


def test_wheel_turns_slices_and_zooms_and_space_pans(eyes: Eyes):
    eyes.open()
    k = eyes.slice
    place = eyes.frame.place((20, 20))
    eyes.page.mouse.move(*place)
    eyes.page.mouse.wheel(0, 100)
    eyes.settle()
    assert eyes.slice == k + 1
    before = eyes.frame
    eyes.page.keyboard.down("Control")
    eyes.page.mouse.wheel(0, -100)
    eyes.page.keyboard.up("Control")
    after = eyes.frame
    assert after.scale_x > before.scale_x
    assert np.allclose(after.voxel(place), before.voxel(place), atol=1e-6)
    eyes.page.keyboard.down(" ")
    eyes.drag([(20, 20), (25, 22)])
    eyes.page.keyboard.up(" ")
    moved = (eyes.frame.pan_x - after.pan_x, eyes.frame.pan_y - after.pan_y)
    assert np.allclose(moved, (5 * after.scale_x, 2 * after.scale_y), atol=2)
    assert eyes.kinds == []
