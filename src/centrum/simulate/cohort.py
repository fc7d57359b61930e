"""Who is in the phantom cohort and what is wrong with each: all choices by chance but texture.

Numbers of patients, levels, sexes, ages and tumours: table 1 of Int. J. Radiat. Res.
2024;22(4), doi 10.61186/ijrr.22.4.927. Frequencies of signs: docs/concepts/phantom-cohort.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from centrum.cohort.levels import Level
from centrum.simulate.acquisition import CENTRES, ImagingProtocol
from centrum.simulate.fracture import KINDS, Fracture
from centrum.simulate.lesion import Lesion
from centrum.simulate.settings import PhantomSettings
from centrum.simulate.signal import MARROW, Marrow

OSTEOPOROTIC, MALIGNANT = "osteoporotic", "malignant"


@dataclass(frozen=True)
class OutcomeGroup:
    """Table 1 of one outcome: counts, and age as mean, SD (chosen), least and greatest.

    `levels` says how often a level is hit within its region (chosen: osteoporotic fractures
    gather at the thoracolumbar junction, metastases spread).
    """

    regions: Mapping[str, int]
    sexes: Mapping[str, int]
    tumours: Mapping[str, int]
    age: tuple[float, float, int, int]
    levels: Mapping[str, Mapping[str, float]]


_LUMBAR = {"L1": 5, "L2": 4, "L3": 3, "L4": 2.5, "L5": 1.5}
TABLE_1 = {
    OSTEOPOROTIC: OutcomeGroup(
        {"cervical": 0, "thoracic": 23, "lumbar": 26},
        {"M": 19, "F": 30},
        {"": 49},
        (70.9, 7.0, 58, 89),
        {
            "thoracic": {"T7": 1, "T8": 1, "T9": 1, "T10": 1.5, "T11": 4, "T12": 7},
            "lumbar": _LUMBAR,
        },
    ),
    MALIGNANT: OutcomeGroup(
        {"cervical": 3, "thoracic": 20, "lumbar": 28},
        {"M": 31, "F": 20},
        {"lymphoma": 4, "myeloma": 4, "metastasis": 43},
        (69.4, 9.5, 46, 90),
        {
            "cervical": {f"C{k}": 1 for k in range(3, 8)},
            "thoracic": {"T6": 1, "T7": 1.5, "T8": 1.5, "T9": 2, "T10": 2.5, "T11": 3, "T12": 4},
            "lumbar": _LUMBAR,
        },
    ),
}

SCLEROTIC_SHARE = 0.2
"""Metastases that are mainly sclerotic, chosen; the others are lytic."""


@dataclass(frozen=True)
class Person:
    """What the manifest tells of a patient beside the image."""

    outcome: str
    tumour: str
    sex: str
    age: int


@dataclass(frozen=True)
class SimulatedPatient:
    """A simulated patient with one fractured body.

    Attributes
    ----------
    id : case and file name, such as P001
    number : from 1; with the seed of the cohort it seeds texture, pose and noise
    person : outcome and demography as the manifest gives them
    level : the fractured vertebra
    fracture, lesion : what the images show
    """

    id: str
    number: int
    person: Person
    level: Level
    fracture: Fracture
    lesion: Lesion

    def protocol(self, settings: PhantomSettings) -> ImagingProtocol:
        """How the region of the fractured level is imaged."""
        return CENTRES[settings.centre].protocols[self.level.region]

    def generator(self, settings: PhantomSettings, purpose: int) -> np.random.Generator:
        """The patient's own randomness, apart from all other patients and purposes."""
        entropy = np.random.SeedSequence([settings.seed, self.number, purpose])
        return np.random.default_rng(entropy)


def plan_cohort(settings: PhantomSettings) -> tuple[SimulatedPatient, ...]:
    """All patients, in random order, with everything that their images will show.

    >>> patients = plan_cohort(PhantomSettings(n_malignant=3, n_osteoporotic=2))
    >>> [p.id for p in patients]
    ['P001', 'P002', 'P003', 'P004', 'P005']
    >>> sorted(p.person.outcome for p in patients)[:2]
    ['malignant', 'malignant']
    """
    rng = np.random.default_rng(np.random.SeedSequence([settings.seed, 0]))
    planned = [
        (person, level, *_findings(person, settings.cue, rng))
        for outcome, count in (
            (MALIGNANT, settings.n_malignant),
            (OSTEOPOROTIC, settings.n_osteoporotic),
        )
        for person, level in _group(outcome, count, rng)
    ]
    order = rng.permutation(len(planned))
    patients = tuple(
        SimulatedPatient(f"P{number:03d}", number, *planned[place])
        for number, place in enumerate(order, 1)
    )
    return _permuted(patients, rng) if settings.null else patients


def _permuted(
    patients: tuple[SimulatedPatient, ...], rng: np.random.Generator
) -> tuple[SimulatedPatient, ...]:
    """The same images with the persons exchanged at random."""
    others = rng.permutation(len(patients))
    return tuple(
        replace(patient, person=patients[other].person)
        for patient, other in zip(patients, others, strict=True)
    )


def apportion(counts: Mapping[str, int], total: int) -> dict[str, int]:
    """`total` in the proportions of `counts`, whole numbers, largest remainders first.

    >>> apportion({"M": 31, "F": 20}, 10)
    {'M': 6, 'F': 4}
    """
    exact = {name: count * total / sum(counts.values()) for name, count in counts.items()}
    whole = {name: int(share) for name, share in exact.items()}
    by_remainder = sorted(exact, key=lambda name: whole[name] - exact[name])
    for name in by_remainder[: total - sum(whole.values())]:
        whole[name] += 1
    return whole


def _group(outcome: str, count: int, rng: np.random.Generator) -> list[tuple[Person, Level]]:
    """Persons and levels of one outcome."""
    group = TABLE_1[outcome]
    sexes, tumours = (_dealt(c, count, rng) for c in (group.sexes, group.tumours))
    levels = [
        Level.parse(_choice(group.levels[region], rng))
        for region in _dealt(group.regions, count, rng)
    ]
    people = [
        Person(outcome, tumour, sex, age)
        for tumour, sex, age in zip(tumours, sexes, _ages(group, count, rng), strict=True)
    ]
    return list(zip(people, levels, strict=True))


def _dealt(counts: Mapping[str, int], total: int, rng: np.random.Generator) -> list[str]:
    """Names in the given proportions, shuffled."""
    names = [name for name, n in apportion(counts, total).items() for _ in range(n)]
    return [names[k] for k in rng.permutation(total)]


def _choice(weights: Mapping[str, float], rng: np.random.Generator) -> str:
    shares = np.array(list(weights.values()), float)
    return list(weights)[rng.choice(len(shares), p=shares / shares.sum())]


def _ages(group: OutcomeGroup, count: int, rng: np.random.Generator) -> list[int]:
    """Whole years with the published range, and its mean to the first decimal."""
    mean, sd, least, greatest = group.age
    ages = np.clip(np.rint(rng.normal(mean, sd, count)), least, greatest).astype(int)
    if count > 2:
        ages[:2] = least, greatest
    free = ages[2:] if count > 2 else ages
    while short := round(mean * count) - int(ages.sum()):
        free[rng.integers(len(free))] += np.sign(short)
        np.clip(free, least, greatest, out=free)
    return [int(ages[k]) for k in rng.permutation(count)]


MISLEADING = 0.03
"""Share of patients with the margin, and with the variation, of the other outcome at cue 1, chosen.

At the default cue of .7 they are 7 in 100.
"""


@dataclass(frozen=True)
class _Signs:
    """How a sign differs: its value in osteoporotic and malignant fractures at cue 1.

    At cue 0 both take the middle.
    """

    malignant: bool
    cue: float

    def between(self, osteoporotic: float, malignant: float) -> float:
        middle = (osteoporotic + malignant) / 2
        own = malignant if self.malignant else osteoporotic
        return middle + self.cue * (own - middle)

    def mostly(self, osteoporotic: float, malignant: float, rng: np.random.Generator) -> float:
        """The value of the own outcome, in a few patients that of the other; at cue 0 in half."""
        misleads = rng.random() < MISLEADING + (0.5 - MISLEADING) * (1 - self.cue) ** 2
        return malignant if self.malignant != misleads else osteoporotic


def _findings(person: Person, cue: float, rng: np.random.Generator) -> tuple[Fracture, Lesion]:
    signs = _Signs(person.outcome == MALIGNANT, cue)
    return _fracture(signs, rng), _lesion(signs, person.tumour, rng)


def _fracture(signs: _Signs, rng: np.random.Generator) -> Fracture:
    """Height loss .33 in osteoporotic fractures and down to .21 in malignant ones."""
    mean, sd = (0.33 - 0.12 * signs.cue, 0.14) if signs.malignant else (0.33, 0.13)
    loss = rng.normal(mean, sd)
    shares = (0.35, 0.20, 0.45) if signs.malignant else (0.50, 0.30, 0.20)
    convex = 0.30 + 0.50 * signs.cue if signs.malignant else 0.06
    retropulsed = signs.between(0.16, 0.0)
    return Fracture(
        kind=KINDS[rng.choice(3, p=shares)],
        loss=float(np.clip(loss, 0.08, 0.62)),
        superior=bool(rng.random() < 0.75),
        corner_mm=_sometimes(retropulsed, (2.0, 4.5), rng),
        bulge_mm=_sometimes(convex, (1.5, 4.0), rng),
    )


def _lesion(signs: _Signs, tumour: str, rng: np.random.Generator) -> Lesion:
    oedema = _jittered(MARROW["oedema"], 0.08, 14, rng)
    other = _tumour_tissue(tumour, rng) if tumour else _jittered(MARROW["lytic"], 0.05, 16, rng)
    tissue = oedema.mix(other, signs.between(0.0, 1.0))
    pattern = _pattern(signs, rng)
    fresh, banded = pattern != "none", pattern == "band"
    return Lesion(
        pattern=pattern,
        tissue=tissue,
        variation=signs.mostly(0.03, 0.24, rng) * rng.lognormal(0, 0.25),
        extent=rng.uniform(0.35, 0.95) if banded else rng.uniform(0.45, 0.85),
        edge_mm=signs.mostly(0.4, 5.0, rng) * rng.lognormal(0, 0.3),
        patch_mm=rng.uniform(5.0, 9.0),
        impaction_mm=_sometimes(fresh * signs.between(0.70, 0.12), (1.0, 2.6), rng),
        fluid_mm=_sometimes(fresh * signs.between(0.40, 0.06), (1.0, 3.5), rng),
        nodules=int(rng.poisson(signs.between(0.0, 2.2))),
    )


def _pattern(signs: _Signs, rng: np.random.Generator) -> str:
    """Unchanged (an old fracture) 35 %; partial 13 of 14 and 7 of 27 of what is changed."""
    if rng.random() < signs.between(0.35, 0.0):
        return "none"
    if rng.random() > signs.between(13 / 14, 7 / 27):
        return "full"
    return "band" if rng.random() < signs.between(0.95, 0.15) else "patchy"


def _tumour_tissue(tumour: str, rng: np.random.Generator) -> Marrow:
    """Marrow that the tumour replaced, with the spread of T2 and fat between patients."""
    if tumour == "myeloma":
        return _jittered(MARROW["myeloma"], 0.06, 12, rng)
    if tumour == "lymphoma":
        return _jittered(MARROW["lymphoma"], 0.02, 9, rng)
    if rng.random() < SCLEROTIC_SHARE:
        return _jittered(MARROW["sclerotic"], 0.02, 10, rng)
    return _jittered(MARROW["lytic"], 0.02, 16, rng)


def _jittered(marrow: Marrow, fat_sd: float, t2_sd: float, rng: np.random.Generator) -> Marrow:
    fat = float(np.clip(rng.normal(marrow.fat_fraction, fat_sd), 0, 0.7))
    return replace(marrow, fat_fraction=fat, t2=float(max(rng.normal(marrow.t2, t2_sd), 25)))


def _sometimes(probability: float, span: tuple[float, float], rng: np.random.Generator) -> float:
    """A number from the span with that probability, else 0; draws twice either way."""
    happens, value = rng.random() < probability, rng.uniform(*span)
    return float(value) if happens else 0.0
