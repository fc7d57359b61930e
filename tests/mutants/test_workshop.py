"""A mistake is seen by the tests that run its statement, and does not outlive its run."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.mutants.workshop import NOTICED, UNNOTICED, Test, Workshop, cheapest, cost

FILE, MODULE, FUNCTION = (
    "tests/prepare/test_nyul.py",
    "src/centrum/prepare/nyul.py",
    "standard_scale",
)
WRONG = ("mean(axis=0)", "max(axis=0)")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    made = Workshop(tmp_path_factory.mktemp("workshop") / "copy")
    yield made
    made.close()


@pytest.fixture(scope="module")
def tests(shop: Workshop) -> list[Test]:
    return shop.measured(FILE, 60)


def lines_of(function: str) -> tuple[int, int]:
    """First and last line of a function of the module."""
    text = (ROOT / MODULE).read_text("utf-8")
    (node,) = (
        each
        for each in ast.walk(ast.parse(text))
        if isinstance(each, ast.FunctionDef) and each.name == function
    )
    return node.lineno, node.end_lineno or 0


def one(name: str, seconds: float, **shared: float) -> Test:
    return Test(name, seconds, shared, True, {"a.py": 0b10110})


def test_what_several_tests_share_is_paid_once() -> None:
    cheap, long = one("a::1", 1.0, a=2.0), one("b::1", 9.0)
    with_it, apart = one("a::2", 0.5, a=2.0, whole=4.0), one("a::3", 1.5, a=2.0)
    assert cost([cheap, with_it, apart]) == 1 + 2 + 0.5 + 4 + 1.5
    assert cheapest([long, with_it, apart, cheap], 30) == [cheap, apart, with_it, long]
    assert cheapest([long, with_it, apart, cheap], 4.5) == [cheap, apart]
    assert cheapest([long], 8) == []


def test_each_function_has_its_turn_before_any_has_a_second() -> None:
    names = ["f[1]", "f[2]", "g", "f[3]", "h[1]", "h[2]"]
    tests = [one(name, 1.0 + k) for k, name in enumerate(names)]
    found = [test.name for test in cheapest(tests, 99)]
    assert found == ["f[1]", "g", "h[1]", "f[2]", "h[2]", "f[3]"]
    assert [test.name for test in cheapest(tests, 7)] == ["f[1]", "g", "f[2]"]


def test_lines_are_bits() -> None:
    test = one("a::1", 1.0)
    assert [test.runs("a.py", k, k) for k in range(6)] == [False, True, True, False, True, False]
    assert test.runs("a.py", 3, 4)
    assert not test.runs("a.py", 5, 9)
    assert not test.runs("b.py", 0, 9)


@pytest.mark.slow
def test_a_test_is_known_by_the_lines_that_it_runs(tests: list[Test]) -> None:
    by_name = {test.name.partition("::")[2]: test for test in tests}
    once, refused = (
        by_name["test_each_image_counts_once"],
        by_name["test_landmarks_must_be_learnt_first"],
    )
    assert once.passed
    assert once.file == FILE
    assert once.runs("prepare/nyul.py", *lines_of(FUNCTION))
    assert not refused.runs("prepare/nyul.py", *lines_of(FUNCTION))
    assert not refused.runs("prepare/body.py", 1, 999)
    assert Test.from_json(once.as_json({"prepare/nyul.py": "t"})).texts == {"prepare/nyul.py": "t"}
    assert Test.from_json(once.as_json()) == once
    assert "tests::figures_are_not_drawn" in once.shared


@pytest.mark.slow
@pytest.mark.parametrize("function", [FUNCTION, ""])
def test_a_mistake_is_noticed_and_does_not_outlive_its_run(
    shop: Workshop, tests: list[Test], function: str
) -> None:
    """Exchanged in the process that has loaded the module, and written where it is imported."""
    source = (ROOT / MODULE).read_text("utf-8")
    own = [test for test in tests if test.runs("prepare/nyul.py", *lines_of(FUNCTION))]
    result, by, _ = shop.run_on(MODULE, function, source.replace(*WRONG), own)
    assert (result, by.partition("::")[0]) == (NOTICED, FILE)
    harmless = source.replace('"""Mean landmarks', '"""The mean landmarks')
    assert shop.run_on(MODULE, function, harmless, own)[0] == UNNOTICED
    assert Path(shop.folder / MODULE).read_text("utf-8") == source


@pytest.mark.slow
def test_tests_that_do_not_run_the_function_are_none_the_wiser(
    shop: Workshop, tests: list[Test]
) -> None:
    source = (ROOT / MODULE).read_text("utf-8").replace(*WRONG)
    others = [test for test in tests if not test.runs("prepare/nyul.py", *lines_of(FUNCTION))]
    assert shop.run_on(MODULE, FUNCTION, source, others)[0] == UNNOTICED
