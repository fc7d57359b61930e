"""Compiled kernels are kept where there is a place, and made again where they are damaged."""

import gc
import os
import shutil
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from numba.core import config

import centrum
from centrum.kernels import cache

MEANS = """
import numpy as np
from centrum.kernels.sphere import sphere_means, sphere_rows
line = np.array([[[3.0, 6.0, 12.0]]])
print(sphere_means(line, line > 5, sphere_rows(1.0, (1.0, 1.0, 1.0))).tolist())
"""

TWICE = """
from centrum.kernels.cache import kernel, part

@part
def double(x):
    return 2 * x

@kernel
def twice(x):
    return double(x)
"""

LOADED = """
import sys
import numpy as np
from centrum.kernels.sphere import _sphere_means, sphere_means, sphere_rows
line = np.array([[[3.0, 6.0, 12.0]]])
sphere_means(line, line > 5, sphere_rows(1.0, (1.0, 1.0, 1.0)))
print(sum(_sphere_means.stats.cache_hits.values()), "numba.np.linalg" in sys.modules)
"""


def test_a_package_that_cannot_be_written_to_starts_without_a_home(tmp_path: Path) -> None:
    """A file in the place of each folder stands for what is read-only, for root, too."""
    package = tmp_path / "lib" / "centrum"
    skip = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(centrum.__file__).parent, package, ignore=skip)
    (package / "kernels/__pycache__").touch()
    (tmp_path / "temporary").mkdir()
    places = {"HOME": "/dev/null", "TMPDIR": str(tmp_path / "temporary")}
    known = {k: v for k, v in os.environ.items() if k not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
    done = subprocess.run(
        [sys.executable, "-c", MEANS],
        env=known | places | {"PYTHONPATH": str(package.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "[7.0, 9.0]\n", done.stderr
    [folder] = (tmp_path / "temporary").iterdir()
    assert list(folder.glob("*/*.nbc"))
    assert folder.stat().st_mode & 0o077 == 0


def test_a_folder_of_others_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache.tempfile, "tempdir", str(tmp_path))
    own = cache._own_folder()
    assert cache._own_folder() == own
    own.chmod(0o777)
    assert cache._own_folder() != own


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path / "cache"))
    path = tmp_path / "twice.py"
    path.write_text(TWICE)
    return path


def loaded(path: Path) -> ModuleType:
    """The module anew, as another process would import it."""
    spec = spec_from_file_location("twice", path)
    module = module_from_spec(spec)
    sys.modules["twice"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("ending", ["nbi", "nbc"])
@pytest.mark.parametrize("keep", [0, 30, -1])
def test_a_damaged_entry_is_compiled_again(kernel: Path, ending: str, keep: int) -> None:
    assert loaded(kernel).twice(3) == 6
    [entry] = kernel.parent.glob(f"cache/*/*.{ending}")
    whole = entry.read_bytes()
    entry.write_bytes(whole[:keep])
    again = loaded(kernel)
    assert again.twice(3) == 6
    assert sum(again.twice.stats.cache_hits.values()) == 0
    mended = loaded(kernel)
    assert mended.twice(3) == 6
    assert sum(mended.twice.stats.cache_hits.values()) == 1


def test_an_entry_of_another_version_is_compiled_again(
    kernel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "__version__", "0.2.1")
    assert loaded(kernel).twice(3) == 6
    monkeypatch.undo()
    monkeypatch.setattr(config, "CACHE_DIR", str(kernel.parent / "cache"))
    again = loaded(kernel)
    assert again.twice(3) == 6
    assert sum(again.twice.stats.cache_hits.values()) == 0


def test_a_cache_that_takes_no_more_stops_nothing(
    kernel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache._WholeOrAbsent, "_save_data", full)
    assert loaded(kernel).twice(3) == 6


def test_a_kernel_that_is_found_loads_nothing_that_compiles(tmp_path: Path) -> None:
    told = [
        subprocess.run(
            [sys.executable, "-c", LOADED],
            env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for _ in range(2)
    ]
    assert told == ["0 True\n", "1 False\n"]


def test_a_part_is_kept_with_its_kernel_and_not_called_from_python(kernel: Path) -> None:
    made = loaded(kernel)
    assert made.twice(3) == 6
    assert [entry.name.partition("-")[0] for entry in kernel.parent.glob("cache/*/*.nbc")] == [
        "twice.twice"
    ]
    with pytest.raises(TypeError, match="double is a part of kernels"):
        made.double(3)


def test_compiling_leaves_the_search_for_garbage_as_it_was(kernel: Path) -> None:
    before = gc.get_threshold()
    assert loaded(kernel).twice(3) == 6
    assert gc.get_threshold() == before
