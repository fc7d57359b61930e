"""Studies whose images stay in their hospital: each site measures, its table travels, one gathers.

What travels is a folder: the table, the facts of the acquisitions, a record with the digests of
both, the choices, and the versions, and a signature of the record.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from scipy.stats import kruskal

from centrum.cohort.manifest import as_cell, write_manifest
from centrum.commands.results import write_json
from centrum.commands.signing import (
    SIGNATURE,
    fingerprint,
    read_signature,
    signature_of,
    signer,
    signing_key,
)
from centrum.commands.tables import TABLES
from centrum.errors import DataError, ManifestError
from centrum.exchange import read_table
from centrum.io.csv_text import frame_csv, read_frame
from centrum.io.facts import NUMBERS
from centrum.io.structured import read_json
from centrum.measure.acquisition import TEXTS
from centrum.measure.shards import own_software
from centrum.modelling.designs import PLACE_IN_TIME
from centrum.provenance import file_digest
from centrum.store import write_atomically
from centrum.study.extraction import ACQUISITION
from centrum.study.measuring import measured_by, refuse_undivided
from centrum.study.stage_keys import refuse_stale
from centrum.study.study import PROTOCOL, Study
from centrum.table import FEATURES, HEAD, FeatureTable
from centrum.text import counted, file_stem

RECORD = "record.json"
"""File that says what a site's table was made by."""

TRAVELLING = (FEATURES, HEAD, ACQUISITION)
"""Files that go with it, beside the signature."""

SITES = "sites.json"
"""File of the gathered study with the records of all sites, and the drift between them."""

LARGE = 0.14
"""Share of the variation in ranks between sites above which they differ largely. Source: Cohen,
Statistical Power Analysis for the Behavioral Sciences, 1988, 8.2 (eta squared)."""

AT_SITES = ("images", "preparation", "extraction", "robustness", "morphometry", "eligibility",
            "describe", "tables", "split")  # fmt: skip
"""Blocks of a protocol that sites are done with, or that the gathered study has of its own."""


def export_site(study: Study, folder: Path) -> tuple[Path, ...]:
    """Write what travels from a site, signed by the study's key; gives the paths.

    Raises
    ------
    CentrumError
        `extract` has not been run, or is older than what decides it; or nothing can be signed.
    ProtocolError
        Something is learnt from all images, which no site has; or there are none.
    """
    refuse_undivided(study)
    refuse_stale(study, "export")
    key = signing_key(study.folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name in TRAVELLING:
        write_atomically(folder / name, (study.results / name).read_bytes())
    record = {
        "protocol": measured_by(study),
        "choices": study.protocol.model_dump(mode="json", exclude_unset=True),
        "software": own_software(),
        "files": {name: file_digest(folder / name) for name in TRAVELLING},
    }
    write_json(folder / RECORD, record)
    signature = signature_of(key, (folder / RECORD).read_bytes())
    write_atomically(folder / SIGNATURE, signature)
    return tuple(folder / name for name in (*TRAVELLING, RECORD, SIGNATURE))


@dataclass(frozen=True, eq=False)
class Site:
    """What came from a site.

    Attributes
    ----------
    name : of its folder, which becomes the centre
    record : what its table was made by
    signed_by : fingerprint of the key by which the record was signed
    table : the features
    acquisition : a row per case
    """

    name: str
    record: Mapping[str, Any]
    signed_by: str
    table: FeatureTable
    acquisition: pd.DataFrame

    def named(self, text: object) -> str:
        """A case or patient of this site, told from those of others."""
        return f"{self.name}-{text}"


def read_site(folder: Path) -> Site:
    """Read what came from a site.

    Raises
    ------
    DataError
        A file is missing, or not as it was when it left; codes "no-site", "bad-signature" and
        "changed-site".
    """
    name = folder.resolve().name
    if gone := [each for each in (RECORD, *TRAVELLING, SIGNATURE) if not (folder / each).is_file()]:
        raise DataError(
            f"{name} lacks {' and '.join(gone)}.",
            remedy="At the site, `centrum export STUDY --format site --out FOLDER` writes what "
            "travels; take the whole folder.",
            code="no-site",
        )
    by = signed_by(folder)
    record = read_json(folder / RECORD, DataError)
    digests = {each: file_digest(folder / each) for each in TRAVELLING}
    if other := [each for each, found in digests.items() if record["files"].get(each) != found]:
        raise _changed(f"{name}: {' and '.join(other)}", "changed-site")
    acquisition = read_frame(folder / ACQUISITION, dtype=dict.fromkeys(("case", *TEXTS), str))
    return Site(name, record, by, FeatureTable.load(folder), acquisition)


def signed_by(folder: Path) -> str:
    """The fingerprint of the key by which a site's record was signed.

    Raises
    ------
    DataError
        It is not as it was signed; code "bad-signature".
    """
    contents = (folder / RECORD).read_bytes()
    try:
        return fingerprint(signer(read_signature((folder / SIGNATURE).read_bytes()), contents))
    except ValueError:
        raise _changed(f"{folder.resolve().name}: {RECORD}", "bad-signature") from None


def _changed(what: str, code: str) -> DataError:
    return DataError(
        f"{what} is not as it was when it left the site.",
        remedy="Copy the folder again, or export it again at the site; if it happens again, "
        "somebody changes it on the way.",
        code=code,
    )


def gather_sites(folders: Sequence[Path], into: Path) -> tuple[str, ...]:
    """Begin a study of the tables of several sites; lines that say how they differ.

    Its centres are the names of the folders, and it is validated by leaving out each in turn.

    Raises
    ------
    DataError
        Sites were measured by other choices, versions, features or readers, or two have one name.
    ManifestError
        There is a study already.
    """
    sites = tuple(read_site(folder) for folder in folders)
    _refuse_unlike(sites)
    if (into / PROTOCOL).exists():
        raise ManifestError(
            f"{into.name} holds {PROTOCOL} already; nothing is overwritten.",
            remedy="Choose another folder.",
            code="study-exists",
        )
    names, readers = _common(sites, lambda t: t.names), _common(sites, lambda t: t.modelled)
    drift = drift_between(sites, names)
    _write_study(sites, names, readers, into)
    records = {s.name: {**s.record, "signed_by": s.signed_by} for s in sites}
    write_json(into / SITES, {"sites": records, "drift": drift})
    return (*_told_sites(sites, names), *_told_drift(sites, drift))


def _refuse_unlike(sites: Sequence[Site]) -> None:
    """Raise where tables cannot stand below each other."""
    if len({site.name for site in sites}) < len(sites):
        raise DataError(
            "Two sites have folders of one name, which becomes the centre.",
            remedy="Rename one of them.",
            code="one-name",
        )
    for what, of_site, code in (
        ("choices by which is measured", lambda s: s.record["protocol"][:12], "other-protocol"),
        ("versions", lambda s: s.record["software"], "other-version"),
        ("primary reader", lambda s: s.table.readers[0], "other-reader"),
    ):
        found = {site.name: of_site(site) for site in sites}
        if len(set(found.values())) > 1:
            told = "; ".join(f"{name}: {value}" for name, value in found.items())
            raise DataError(
                f"The sites differ in the {what}: {told}.",
                remedy="Measure at every site with one protocol and the same versions, and call "
                "readers alike.",
                code=code,
            )


def _common(
    sites: Sequence[Site], of: Callable[[FeatureTable], tuple[str, ...]]
) -> tuple[str, ...]:
    """What all tables have, in the order of the first."""
    return reduce(lambda a, b: tuple(n for n in a if n in b), (of(site.table) for site in sites))


# The gathered study


def _write_study(
    sites: Sequence[Site], names: Sequence[str], readers: Sequence[str], into: Path
) -> None:
    (into / TABLES).mkdir(parents=True, exist_ok=True)
    cases = pd.concat([_cases(site) for site in sites])
    rows = cases.map(as_cell).to_numpy().tolist()
    write_manifest(list(map(str, cases.columns)), rows, into / "cases.csv")
    sources = [_write_table(sites, names, reader, into) for reader in readers]
    choices = {k: v for k, v in sites[0].record["choices"].items() if k not in AT_SITES}
    blocks = choices | {"split": {"design": "leave_one_centre_out"}, "tables": sources}
    text = yaml.safe_dump(blocks, sort_keys=False, allow_unicode=True)
    head = f"# Of {counted(len(sites), 'site')}, gathered; the images stayed there.\n"
    write_atomically(into / PROTOCOL, (head + text).encode())


def _cases(site: Site) -> pd.DataFrame:
    """The rows of a site in the manifest; what it called its own centre is another matter."""
    obs = site.table.obs.drop(columns=["region", PLACE_IN_TIME], errors="ignore")
    obs = obs.assign(centre=site.name, patient=obs["patient"].map(site.named))
    obs.insert(0, "case", [site.named(case) for case in obs.index])
    return obs


def _write_table(
    sites: Sequence[Site], names: Sequence[str], reader: str, into: Path
) -> dict[str, object]:
    """Write the features of a reader; its entry in the protocol."""
    frame = pd.concat([_features(site, names, reader) for site in sites])
    file = f"{TABLES}/{file_stem(reader)}.csv"
    write_atomically(into / file, frame_csv(frame.reset_index()).encode())
    doubtful = read_table(into / file, format="generic").no_features
    entry = {"file": file, "reader": reader, "format": "generic", "keep": [*doubtful]}
    compared = all(reader in site.table.compared for site in sites)
    return {**entry} if compared else {**entry, "compared": False}


def _features(site: Site, names: Sequence[str], reader: str) -> pd.DataFrame:
    values = np.asarray(site.table.values[:, :, site.table.readers.index(reader)])
    cases = pd.Index([site.named(case) for case in site.table.cases], name="case")
    frame = pd.DataFrame(values, cases, list(site.table.names))[list(names)]
    return frame.dropna(how="all")


# How sites differ


def drift_between(sites: Sequence[Site], names: Sequence[str]) -> dict[str, Any]:
    """How far features, acquisitions and outcomes differ between sites.

    Of numbers the share of the variation in ranks that lies between sites (epsilon squared of
    Kruskal and Wallis, 0 to 1; source: Tomczak and Tomczak, Trends Sport Sci 2014;21:19), of
    features for the primary reader; of words what each site has; of outcomes and, where a number
    differs largely, the medians.
    """
    of_features = [_features(site, names, site.table.readers[0]) for site in sites]
    acquired = [site.acquisition for site in sites]
    numbers = [n for n in NUMBERS if all(n in frame for frame in acquired)]
    words = [n for n in TEXTS if any(n in frame for frame in acquired)]
    outcomes = [site.table.obs["outcome"].value_counts() for site in sites]
    own = [site.name for site in sites]
    return {
        "features": {n: epsilon_squared([frame[n] for frame in of_features]) for n in names},
        "acquisition": {
            n: {
                "epsilon_squared": epsilon_squared([frame[n] for frame in acquired]),
                "medians": dict(zip(own, (_median(frame[n]) for frame in acquired), strict=True)),
            }
            for n in numbers
        },
        "words": {n: dict(zip(own, (_words(f, n) for f in acquired), strict=True)) for n in words},
        "outcome": dict(zip(own, (counts.to_dict() for counts in outcomes), strict=True)),
    }


def epsilon_squared(groups: Sequence[pd.Series]) -> float | None:
    """H / (n - 1) of Kruskal and Wallis; None where no two values differ, or a group has none.

    >>> epsilon_squared([pd.Series([1.0, 2.0, 3.0]), pd.Series([1.0, 2.0, 3.0])])
    0.0
    >>> round(epsilon_squared([pd.Series([1.0, 2.0, 3.0]), pd.Series([4.0, 5.0, 6.0])]), 3)
    0.771
    """
    known = [group.dropna().to_numpy(dtype=float) for group in groups]
    pooled = np.concatenate(known)
    if not all(map(len, known)) or len(np.unique(pooled)) < 2:
        return None
    return float(max(0.0, kruskal(*known).statistic) / (len(pooled) - 1))


def _median(numbers: pd.Series) -> float | None:
    known = numbers.dropna()
    return float(known.median()) if len(known) else None


def _words(frame: pd.DataFrame, name: str) -> list[str]:
    return sorted(frame[name].dropna().unique()) if name in frame else []


def _told_sites(sites: Sequence[Site], names: Sequence[str]) -> tuple[str, ...]:
    cases = ", ".join(f"{site.name} {len(site.table.cases)}" for site in sites)
    dropped = sorted({n for site in sites for n in site.table.names} - {*names})
    more = f"; {len(dropped)} that are not defined everywhere are left out" if dropped else ""
    return (
        f"Cases: {cases}. One protocol ({sites[0].record['protocol'][:12]}), one set of versions.",
        f"{counted(len(names), 'feature')}{more}.",
        f"Signed by: {_by_site({site.name: site.signed_by for site in sites})}. Compare it with "
        "what each site says by another way.",
    )


def _told_drift(sites: Sequence[Site], drift: Mapping[str, Any]) -> tuple[str, ...]:
    """The differences that are large, in lines to print."""
    lines = []
    known = {n: e for n, e in drift["features"].items() if e is not None}
    moved = sorted((n for n, e in known.items() if e > LARGE), key=lambda n: -known[n])
    most = ", ".join(f"{name} ({known[name]:.2f})" for name in moved[:3])
    lines.append(
        f"Drift of features: {len(moved)} of {len(known)} differ largely between the sites (more "
        f"than {LARGE} of the variation in ranks){f', most of all {most}' if most else ''}."
    )
    for name, told in drift["acquisition"].items():
        if (told["epsilon_squared"] or 0) > LARGE:
            lines.append(f"Drift of {name}: {_by_site(told['medians'])} (medians).")
    for name, told in drift["words"].items():
        if len({tuple(found) for found in told.values()}) > 1:
            said = {site: ", ".join(found) or "not known" for site, found in told.items()}
            lines.append(f"Drift of {name}: {_by_site(said)}.")
    shares = {site: json.dumps(counts)[1:-1].replace('"', "") for site, counts in
              drift["outcome"].items()}  # fmt: skip
    return (*lines, f"Outcomes: {_by_site(shares)}.")


def _by_site(values: Mapping[str, object]) -> str:
    return "; ".join(f"{site} {value}" for site, value in values.items())
