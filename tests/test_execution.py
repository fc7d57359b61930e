"""Mapping over processes."""

import os

import pytest

from centrum.errors import CentrumError
from centrum.execution import map_jobs


def square(x: int) -> int:
    return x * x


def die(x: int) -> int:
    if x == 3:
        os._exit(9)
    return x


def fail(x: int) -> int:
    raise ValueError(f"job {x}")


@pytest.mark.parametrize("workers", [1, 2])
def test_every_job_is_done_once(workers: int) -> None:
    assert sorted(map_jobs(square, list(range(20)), workers)) == [(x, x * x) for x in range(20)]


def test_a_killed_worker_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(CentrumError, match="fewer --workers"):
        list(map_jobs(die, list(range(6)), 2))


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_rises(workers: int) -> None:
    with pytest.raises(ValueError, match="job"):
        list(map_jobs(fail, [1, 2], workers))
