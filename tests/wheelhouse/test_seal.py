"""Hashes as pip and sha256sum read them."""

import hashlib
from pathlib import Path

from tools.wheelhouse.seal import requirements, sums

from tests.wheelhouse.wheels import write_wheel


def test_requirements_pin_each_wheel_by_its_hash(tmp_path: Path) -> None:
    for name in ("two-more", "centrum"):
        write_wheel(tmp_path, name)
    hashes = {p.name[:3]: hashlib.sha256(p.read_bytes()).hexdigest() for p in tmp_path.iterdir()}
    assert requirements(tmp_path, ["dicom", "web"]) == (
        f"centrum[dicom,web]==1.0 --hash=sha256:{hashes['cen']}\n"
        f"two-more==1.0 --hash=sha256:{hashes['two']}\n"
    )
    assert requirements(tmp_path, []).startswith("centrum==1.0 ")


def test_sums_name_files_of_folders_from_the_top(tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / "a b").write_bytes(b"abc")
    of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, B.1
    assert sums(tmp_path) == f"{of_abc}  wheels/a b\n"
