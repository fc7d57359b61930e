"""Ratios of one region to another: of which features, and where there is none."""

import pytest

from centrum.errors import ProtocolError
from centrum.features.settings import ExtractionSettings
from centrum.measure.regions import plan_regions, regions_read, with_ratios

RATIOS = [{"to": "muscle"}, {"of": "fat", "to": "muscle"}]
SETTINGS = ExtractionSettings(
    families=("morphology", "statistics", "histogram"),
    filters=({"filter": "mean", "support": 3, "dimension": "2D"},),
    ratios=RATIOS,
)
REGIONS = ("muscle", "fat")


def test_ratios_are_of_the_image_itself_in_every_sequence() -> None:
    features = plan_regions(SETTINGS, ("T2w", "T1w"), REGIONS)
    ratios = [f for f in features if "-per-" in f.region]
    assert {f.image for f in ratios} == {"original"}
    assert {f.sequence for f in ratios} == {"T2w", "T1w"}
    assert {f.region for f in ratios} == {"body-per-muscle", "fat-per-muscle"}
    assert {f.family for f in ratios} <= set(SETTINGS.ratios[0].families)


def test_a_ratio_is_of_the_same_feature_of_both_regions() -> None:
    """Numbers that tell region and place; 0 below and a missing value on either side give none."""
    features = plan_regions(SETTINGS, ("T2w",), REGIONS)
    n = sum(f.region == "" for f in features)
    assert [sum(f.region == name for f in features) for name in REGIONS] == [n, n]
    body, muscle, fat = ([base + k for k in range(n)] for base in (1000.0, 2000.0, 3000.0))
    at = [k for k, f in enumerate(features[:n]) if f.image == "original" and f.family in
          SETTINGS.ratios[0].families]  # fmt: skip
    muscle[at[0]], muscle[at[1]], body[at[2]], body[at[3]] = 0.0, None, None, 0.0
    found = with_ratios([*body, *muscle, *fat], SETTINGS, ("T2w",), REGIONS)
    assert len(found) == len(features)
    assert found[: 3 * n] == [*body, *muscle, *fat]
    of_body, of_fat = found[3 * n :][: len(at)], found[3 * n + len(at) :]
    assert of_body[:4] == [None, None, None, 0.0]
    assert of_fat[:2] == [None, None]
    for k, own, other in zip(at[4:], of_body[4:], of_fat[4:], strict=True):
        assert own == (1000 + k) / (2000 + k)
        assert other == (3000 + k) / (2000 + k)


@pytest.mark.parametrize("ratio", [{"to": "bone"}, {"of": "bone", "to": "muscle"}])
def test_a_region_that_is_not_there_is_named(ratio: dict[str, str]) -> None:
    settings = SETTINGS.model_copy(update={"ratios": ()})
    settings = ExtractionSettings.model_validate(settings.model_dump() | {"ratios": [ratio]})
    with pytest.raises(ProtocolError, match=r"no region 'bone'; there are body, muscle, fat\."):
        plan_regions(settings, ("",), REGIONS)


def test_regions_that_are_read_are_named_once_without_the_first() -> None:
    features = plan_regions(SETTINGS, ("",), REGIONS)
    by_region = {name: [f for f in features if f.region == name] for name in (*REGIONS, "")}
    ratio = [f for f in features if f.region == "body-per-muscle"]
    assert regions_read(by_region[""], SETTINGS) == ()
    assert regions_read([*ratio, *by_region["muscle"]], SETTINGS) == ("muscle",)
    assert regions_read([*by_region["fat"], *ratio], SETTINGS) == ("fat", "muscle")
