"""No sentence is false in the study that it stands in.

The table below is typed by hand: a phrase, what forbids it, and why. It looks at the protocol and
at the records, never at the words of the package. Studies by protocols in which every two choices
meet are written out whole and held against it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import combinations, product
from typing import Any, NamedTuple

import numpy as np
import pytest

from centrum.manuscript.answers import StudyFacts
from centrum.manuscript.methods import MOST_WORDS, Paragraph, methods_text, word_count
from centrum.manuscript.results_external import room_beside, with_external
from centrum.perturb import RobustnessSettings
from centrum.protocol import load_preset
from centrum.report.results import StudyResults
from centrum.report.sections.model import as_read
from tests.report.conftest import above_chance

from .conftest import Make
from .elsewhere import external_of
from .variants import everything, varied

FACTS = StudyFacts(exported_model=True, methods=True)


class Forbidden(NamedTuple):
    """A phrase (a regular expression), the studies that it is false in, and why."""

    phrase: str
    when: Callable[[StudyResults], bool]
    why: str


def paper(phrase: str) -> str:
    """The phrase in the chapters that tell what was found."""
    return rf"^(?:abstract|results|limitations)\b.*(?:{phrase})"


def always(results: StudyResults) -> bool:
    return True


def several_parts(results: StudyResults) -> bool:
    return results.protocol.split.design in ("repeated_split", "leave_one_centre_out")


def of_tables(results: StudyResults) -> bool:
    return bool(results.protocol.tables)


def by_other_column(results: StudyResults) -> bool:
    split = results.protocol.split
    return split.design in ("leave_one_centre_out", "external") and split.column != "centre"


def balanced(*ways: str) -> Callable[[StudyResults], bool]:
    return lambda results: results.protocol.model.balance in ways


def unless(test: Callable[[StudyResults], bool]) -> Callable[[StudyResults], bool]:
    return lambda results: not test(results)


def weighs(results: StudyResults) -> bool:
    """The elastic net takes no weights; a plain regression of covariates beside it does."""
    model = results.protocol.model
    alone = model.classifier == "elastic_net" and model.fusion == "early"
    return model.balance == "class_weight" and not alone


def lasso(results: StudyResults) -> bool:
    return results.protocol.model.lasso.l1_ratio == 1


def chooses_features(results: StudyResults) -> bool:
    model = results.protocol.model
    return model.select.method != "none" or model.classifier == "elastic_net"


def tunes(results: StudyResults) -> bool:
    model = results.protocol.model
    return (
        model.select.method == "lasso"
        or model.classifier in ("ridge", "elastic_net")
        or model.n_features is not None
    )


def changed_before(results: StudyResults) -> bool:
    model = results.protocol.model
    return (
        model.imputation.method != "none"
        or model.harmonisation.method != "none"
        or model.clip is not None
    )


def harmonised(results: StudyResults) -> bool:
    return results.protocol.model.harmonisation.method != "none"


TABLE = (
    # Selection and classifier
    Forbidden(r"LASSO", unless(lasso), "with a quadratic share in the penalty it is no LASSO"),
    Forbidden(r"(Selection|[Ss]elected) by the elastic net", lasso, "the penalty is absolute"),
    Forbidden(
        r"selected feature|per selected|choice of features", unless(chooses_features),
        "all features entered the classifier",
    ),
    Forbidden(
        r"choice [^.]*of their number", lambda r: r.protocol.model.n_features is None,
        "no number was chosen",
    ),
    Forbidden(r"[Nn]othing was tuned", tunes, "cross-validation chose a penalty or a number"),
    Forbidden(
        r"C of the ridge", lambda r: r.protocol.model.classifier != "ridge", "there is no ridge"
    ),
    Forbidden(
        r"each source's model|had a model of its own",
        lambda r: r.protocol.model.fusion == "early", "one model read all sources",
    ),
    Forbidden(
        r"linear S(VM|upport)|Cost of the SVM",
        lambda r: r.protocol.model.classifier != "linear_svm", "the classifier is another",
    ),
    Forbidden(
        r"each source's model( by|,)",
        lambda r: bool(r.protocol.model.covariates),
        "the covariates have a plain regression, in which nothing is chosen",
    ),
    # Classes
    Forbidden(r"before balancing", unless(balanced("repeat", "smote")), "no case was added"),
    Forbidden(
        r"rarer outcome were repeated|[Bb]alanced by repeating|are repeated for balance",
        unless(balanced("repeat")), "no case was repeated",
    ),
    Forbidden(r"SMOTE", unless(balanced("smote")), "no case was synthesised"),
    Forbidden(r"weigh more|weighted them", unless(weighs), "the classifier weighs all alike"),
    Forbidden(r"classes were not balanced\.", weighs, "the classifier weighs the classes"),
    # Values before the model
    Forbidden(
        r"from the mean of the training cases\. Box", changed_before,
        "the values drawn were filled, harmonised or clipped",
    ),
    Forbidden(r"harmonised by", unless(harmonised), "nothing was harmonised"),
    Forbidden(r"not harmonised between", harmonised, "features were harmonised"),
    Forbidden(
        r"[Cc]entres harmonised|[Hh]armonised by centre",
        lambda r: r.protocol.model.harmonisation.batch != "centre", "batches are no centres",
    ),
    Forbidden(
        r"missing value is refused|Missing values were not imputed",
        lambda r: r.protocol.model.imputation.method != "none", "missing values were filled",
    ),
    Forbidden(
        r"[Mm]issing values( are)? filled|missing value is replaced",
        lambda r: r.protocol.model.imputation.method == "none", "they were refused",
    ),
    # Images and tables
    Forbidden(
        r"with IBSI definitions|texture within|definitions (are )?those of the IBSI",
        lambda r: of_tables(r) or r.table.dialect != "ibsi",
        "features were measured by other definitions, or nobody knows by which",
    ),
    Forbidden(
        r"PyRadiomics features as in|definitions (are )?those of PyRadiomics",
        lambda r: of_tables(r) or r.table.dialect != "pyradiomics",
        "features were measured by other definitions, or nobody knows by which",
    ),
    Forbidden(
        r"normalised \(|z-score of the|[Rr]esampled|[Gg]rey levels by|own grid|"
        r"preparation\.normalisation|extraction\.|bias field",
        of_tables, "nobody knows how the images of tables were prepared",
    ),
    Forbidden(r"`centrum score` scores", of_tables, "`centrum score` refuses a model of tables"),
    Forbidden(
        r"[Ss]agittal slice|Draw the|images that were acquired", of_tables, "no image was read"
    ),
    Forbidden(
        r"[Oo]ne (image )?sequence|images were taken to be|No sequence was claimed|"
        r"images and regions that were measured|region on another grid|features of the images",
        of_tables, "no image was read",
    ),
    Forbidden(
        r"reproducibility filters described|readers agree",
        lambda r: len(r.table.readers) == 1, "one reader agrees with nobody",
    ),
    Forbidden(r"One reader drew", always, "a mask may be a tool's, and a table has no reader"),
    # Who was tested
    Forbidden(
        r"(?i)each centre left out|cases of another centre|other centres than", by_other_column,
        "the design goes by another column",
    ),
    Forbidden(
        r"METRICS 27: \[answered\]", by_other_column, "another scanner is no other institution"
    ),
    Forbidden(
        r"split( once)? at random|stratified 7:3 split",
        lambda r: r.protocol.split.design in ("leave_one_centre_out", "external"),
        "the sides follow from a column",
    ),
    Forbidden(
        r"7:3 split", lambda r: r.protocol.split.design != "single", "there are several splits"
    ),
    Forbidden(
        r"centres?[^.]* on both sides: ",
        lambda r: not any(side["centres"] for side in r.validation.rows["parts"]),
        "no centre is on both sides",
    ),
    Forbidden(
        r"the score is on average|of the score between readers|of the score \||"
        r"the score by the regions",
        lambda r: r.protocol.split.design in ("repeated_split", "leave_one_centre_out"),
        "the cases are ordered by their mean probability over the parts",
    ),
    # Searches and sequences
    Forbidden(
        r"(?i)models were searched|candidates? of the search|best of \d+ candidates?|Table search|"
        r"everything that the search",
        lambda r: r.protocol.search is None, "nothing was searched",
    ),
    Forbidden(
        r"there was no search|states one model", lambda r: r.protocol.search is not None,
        "models were searched",
    ),
    Forbidden(
        r"[Oo]ne (image )?sequence", lambda r: len(r.protocol.images.sequences) > 1,
        "several were measured",
    ),
    Forbidden(
        r"[Ff]urther sequences?[^.]*(were|was) (measured|computed)|each further sequence|"
        r"Sequences T2w",
        lambda r: len(r.protocol.images.sequences) < 2, "one was measured",
    ),
    # What was shown
    Forbidden(
        r"clinical: the covariates", lambda r: "clinical" not in r.validation.ablation,
        "no such variant was fitted",
    ),
    Forbidden(
        r"permutations? of the outcomes|[Pp]ermuted outcomes, which|outcomes that were",
        lambda r: r.validation.permutation is None, "nothing was permuted",
    ),
    Forbidden(
        r"with each( classic)? leak", lambda r: not r.validation.leaks, "no leak was switched on"
    ),
    Forbidden(
        r"by chance with|as well by chance|probability that chance", always,
        "P is no probability of chance",
    ),
    Forbidden(
        r"figure repeats", lambda r: r.validation.permutation is None and not r.validation.leaks,
        "nothing was repeated",
    ),
    Forbidden(r"none differs between", always, "a large P does not show that nothing differs"),
    Forbidden(
        r"(METRICS (1|28|29|30)|CLEAR (7|5[3-8])|TRIPOD\+AI 18[a-f]): \[(answered|not done)\]",
        always, "only the authors know what they follow and share",
    ),
    Forbidden(r"is shared where|script is its protocol", always, "the records know no sharing"),
    Forbidden(
        r"(?i)do(es)? not say (that|whether) (these|the) patients are simulated", always,
        "of a real study that is no news, and in bold a doubt",
    ),
    Forbidden(
        r"(?i)simulated patients|(cases|patients)[^.]* (are|were) simulated|phantom",
        lambda r: not r.simulated, "the patients are real",
    ),
    # The abstract, the results and the limitations
    Forbidden(paper(r"T2w MRI"), of_tables, "no image was seen"),
    Forbidden(paper(r"features per case were measured"), of_tables, "they were read from tables"),
    Forbidden(paper(r"read from tables"), unless(of_tables), "they were measured"),
    Forbidden(
        r"results, .*Dice coefficient|Signs of malignancy outside the region", of_tables,
        "nobody knows what was drawn",
    ),
    Forbidden(
        paper(r"Between the readers, over|between \d readers|reproducible between the readers|"
        r"results, .*instead of those of"),
        lambda r: len(r.table.readers) == 1, "one reader agrees with nobody",
    ),
    Forbidden(
        paper(r"One set of regions was measured"), lambda r: len(r.table.readers) > 1,
        "several were",
    ),
    Forbidden(
        paper(
            r"made the training set|[Oo]n \d+ test cases of|At the cut-off, a score|the split \("
        ),
        several_parts, "the cases are on both sides in turn",
    ),
    Forbidden(
        paper(r"[Oo]ver (the )?\d+ parts|Pooled over the parts|means over parts"),
        unless(several_parts), "there is one test side",
    ),
    Forbidden(
        paper(r"held out by one stratified split"), lambda r: r.protocol.split.design != "single",
        "the design is another",
    ),
    Forbidden(
        paper(r"left out in turn"), lambda r: r.protocol.split.design != "leave_one_centre_out",
        "none was",
    ),
    Forbidden(paper(r"another scanner"), unless(by_other_column), "the design goes by the centre"),
    Forbidden(
        paper(r"penalty of the (LASSO|elastic net) was"),
        lambda r: r.model.lasso is None, "no penalty was chosen along a path",
    ),
    Forbidden(
        paper(r"largest coefficients? per standard deviation|speaks for malignant"),
        lambda r: r.protocol.model.classifier == "random_forest", "trees have no coefficients",
    ),
    Forbidden(
        r"abstract, .*\(linear support vector",
        lambda r: r.protocol.model.classifier != "linear_svm", "the classifier is another",
    ),
    Forbidden(
        paper(r"Cross-validation took|kept by recursive elimination"),
        lambda r: r.protocol.model.n_features is None, "no number was chosen, and none dropped",
    ),
    Forbidden(
        r"results, .*permutations? of the outcomes", lambda r: r.validation.permutation is None,
        "nothing was permuted",
    ),
    Forbidden(
        r"results, .*the covariates alone", lambda r: "clinical" not in r.validation.ablation,
        "no such variant was fitted",
    ),
    Forbidden(
        paper(r"better than chance\. \[|told malignant from osteoporotic"),
        lambda r: not r.evaluation.above_chance, "the interval of the AUC reaches 0.5",
    ),
    Forbidden(paper(r"was not shown that"), lambda r: r.evaluation.above_chance, "it was"),
    Forbidden(
        paper(r"simulated cases|The patients were simulated"), lambda r: not r.simulated,
        "the patients are real",
    ),
    Forbidden(
        paper(
            r"not tested on patients of another centre|were of one centre|"
            r"centres of the cases were not told|on both sides of a split"
        ),
        lambda r: r.protocol.split.design in ("leave_one_centre_out", "external")
        and r.protocol.split.column == "centre",
        "each centre was tested by models of others",
    ),
    Forbidden(
        r"^(abstract|results|limitations).*\b(you|your|here|this report|look for)\b", always,
        "a paper speaks of the study, and not to its reader",
    ),
    Forbidden(
        r"states no deviations", lambda r: bool(r.protocol.deviations), "some stand in it"
    ),
)  # fmt: skip
"""Each row is a sentence that once stood in a study where it was false, or its neighbour."""


# Studies in which every two choices meet

NO_SELECTION = {"select": {"method": "none"}, "rfe": {"estimator": "none"}, "n_features": None}
READERS = ("senior", "resident")
SEQUENCES = ("T2w", "T1w")
OWN = {"reader": "senior", "file": "a.csv"}
OTHER = {"reader": "resident", "file": "b.csv"}
IBSI = load_preset("vcf-t2w").model_dump()

CHOICES: Mapping[str, tuple[dict[str, Any], ...]] = {
    "model": (
        {},
        {"model": {"lasso": {"l1_ratio": 0.5}}},
        {"model": NO_SELECTION | {"classifier": "elastic_net", "lasso": {"l1_ratio": 0.5}}},
        {"model": NO_SELECTION | {"classifier": "elastic_net"}},
        {"model": NO_SELECTION | {"classifier": "ridge"}},
        {"model": NO_SELECTION | {"classifier": "random_forest", "clip": 2.0}},
        {"model": NO_SELECTION},
    ),
    "design": (
        {},
        {"split": {"design": "repeated_split"}},
        {"split": {"design": "leave_one_centre_out"}},
        {"split": {"design": "leave_one_centre_out", "by": "scanner"}},
        {"split": {"design": "external", "test_values": ("B",)}},
        {"split": {"design": "external", "by": "scanner", "test_values": ("B",)}},
    ),
    "features": (
        {"extraction": IBSI["extraction"]},
        {name: IBSI[name] for name in ("description", "deviations", "extraction", "preparation")},
        {"tables": (OWN, OTHER)},
        {"description": IBSI["description"], "tables": (OWN, OTHER)},
    ),
    "classes": tuple(
        {"model": {"balance": way}} for way in ("repeat", "none", "smote", "class_weight")
    ),
    "batches": (
        {},
        {"model": {"harmonisation": {"method": "combat", "batch": "centre"}}},
        {"model": {"harmonisation": {"method": "combat", "batch": "scanner"}}},
    ),
    "missing": ({}, {"model": {"imputation": {"method": "median"}}}),
    "fusion": ({}, {"model": {"covariates": ("age",), "fusion": "late"}}),
    "simulated": ({}, {"simulated": False}),
    "audited": ({}, {"audited": False}),
    "readers": ({}, {"alone": True}),
    "sequences": ({}, {"images": {"sequences": SEQUENCES}}),
    "chance": ({}, {"chance": True}),
}

WON = {
    "search": {"selectors": ("lasso", "mrmr"), "classifiers": ("ridge", "logistic")},
    "model": {"classifier": "ridge"},
}
"""A search, and the classifier of the candidate that the made-up one has chosen."""

SEARCHES = tuple(
    WON | design | features
    for design in CHOICES["design"][:2]
    for features in (*CHOICES["features"][1:3], CHOICES["sequences"][1])
)

Row = tuple[int, ...]


def pairwise(sizes: tuple[int, ...]) -> Iterator[Row]:
    """Rows of positions in which every two positions of two columns meet; greedy."""
    open_ = {
        ((a, i), (b, j))
        for a, b in combinations(range(len(sizes)), 2)
        for i, j in product(range(sizes[a]), range(sizes[b]))
    }
    while open_:
        row = dict(min(open_))
        for column in range(len(sizes)):
            if column not in row:
                row[column] = max(range(sizes[column]), key=lambda i: _met(open_, row, column, i))
        found = tuple(row[column] for column in range(len(sizes)))
        open_ -= set(combinations(enumerate(found), 2))
        yield found


def _met(open_: set[Any], row: Mapping[int, int], column: int, i: int) -> int:
    """Pairs that a position in a column would meet for the first time."""
    return sum(tuple(sorted(((column, i), other))) in open_ for other in row.items())


ROWS = tuple(pairwise(tuple(map(len, CHOICES.values()))))


def study(make: Make, row: Row) -> StudyResults:
    patch: dict[str, Any] = {}
    for chosen in (values[at] for values, at in zip(CHOICES.values(), row, strict=True)):
        for name, block in chosen.items():
            patch[name] = patch.get(name, {}) | block if isinstance(block, dict) else block
    return study_by(make, patch)


def study_by(make: Make, patch: dict[str, Any]) -> StudyResults:
    marks = {name: patch.pop(name, True) for name in ("simulated", "audited")}
    chance = patch.pop("chance", False)
    several = patch.get("split", {}).get("design") in ("repeated_split", "leave_one_centre_out")
    readers = READERS[:1] if patch.pop("alone", False) else READERS
    if "tables" in patch:
        patch["tables"] = patch["tables"][: len(readers)]
        patch.pop("images", None)
    sequences = SEQUENCES if "images" in patch else ()
    found = varied(made(make, 3 if several else 1, readers, sequences), patch, **marks)
    return replace(found, evaluation=above_chance(found.evaluation, 0.5)) if chance else found


KNOWN: dict[tuple[int, tuple[str, ...], tuple[str, ...]], StudyResults] = {}


def made(
    make: Make,
    n_parts: int = 1,
    readers: tuple[str, ...] = READERS,
    sequences: tuple[str, ...] = (),
) -> StudyResults:
    """The study that all others are variations of."""
    key = (n_parts, readers, sequences)
    if key not in KNOWN:
        KNOWN[key] = make(n_parts=n_parts, readers=readers, n_measured=90, sequences=sequences)
    return KNOWN[key]


def false_lines(results: StudyResults, lines: list[str]) -> list[str]:
    """What must not be said of the study and is."""
    return [
        f"{line!r}: {row.why}"
        for row in TABLE
        if row.when(results)
        for line in lines
        if re.search(row.phrase, line)
    ]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(map(str, row)))
def test_no_line_is_false(make: Make, row: Row) -> None:
    results = study(make, row)
    lines = [*everything(results, FACTS)]
    assert not any("could not be computed" in line for line in lines)
    assert sum(len(p.text.split()) for p in methods_text(results) if p.main) < 850
    assert false_lines(results, lines) == []


@pytest.mark.parametrize("row", ROWS[::4], ids=lambda row: "-".join(map(str, row)))
def test_methods_are_short_whatever_was_done(make: Make, row: Row) -> None:
    """Beside an external validation, perturbed regions and an optimism that were told too; what
    does not fit is in the supplement, and nothing is lost."""
    found = study(make, row)
    evaluation = found.protocol.evaluation.model_copy(update={"optimism_resamples": 100})
    changed = {"evaluation": evaluation}
    if not found.protocol.tables:
        changed["robustness"] = RobustnessSettings()
    results = replace(found, protocol=found.protocol.model_copy(update=changed))
    facts = replace(FACTS, external=external_of(results))
    methods = methods_text(results, room_beside(results, facts))
    assert word_count(with_external(methods, results, facts)) <= MOST_WORDS
    external = word_count(with_external((), results, facts))
    assert room_beside(results, facts) == MOST_WORDS - external < room_beside(results, FACTS)
    for most in (0, 700, 10_000):
        moved = methods_text(results, most)
        assert sorted(sentences_of(moved)) == sorted(sentences_of(methods))
        assert word_count(moved) <= max(most, 720)


def sentences_of(paragraphs: Iterable[Paragraph]) -> list[str]:
    return [s for p in paragraphs for s in (*re.split(r"(?<=[.\]]) (?=[A-Z\[])", p.text), *p.items)]


@pytest.mark.parametrize("patch", SEARCHES)
def test_no_line_of_a_search_is_false(make: Make, patch: dict[str, Any]) -> None:
    results = study_by(make, {**patch})
    lines = [*everything(results, FACTS)]
    assert any("candidate" in line for line in lines)
    assert false_lines(results, lines) == []


def test_every_two_choices_meet() -> None:
    sizes = tuple(map(len, CHOICES.values()))
    for a, b in combinations(range(len(sizes)), 2):
        assert {(row[a], row[b]) for row in ROWS} == set(product(range(sizes[a]), range(sizes[b])))


def test_the_table_forbids_something_somewhere(make: Make) -> None:
    """A row that forbids nothing in any of the studies would be no test."""
    studies = [study(make, row) for row in ROWS]
    studies += [study_by(make, {**patch}) for patch in SEARCHES]
    idle = [row.phrase for row in TABLE if not any(row.when(results) for results in studies)]
    assert idle == []


# What figure 4 draws


def test_values_drawn_are_those_the_model_reads(make: Make) -> None:
    """Filled, harmonised and clipped, so that a missing value is drawn where the model puts it."""
    model = {"imputation": {"method": "median"}, "clip": 1.5,
             "harmonisation": {"method": "combat", "batch": "scanner"}}  # fmt: skip
    plain = made(make)
    results = varied(plain, {"model": model})
    at = results.table.names.index(results.model.features[0])
    raw, batch = results.table.values[:, at, 0].copy(), results.table.obs["scanner"].to_numpy()
    values = results.table.values.copy()
    values[4, at, 0] = np.nan
    drawn = as_read(replace(results, table=replace(results.table, values=values)))
    mean, sd = results.model.means[0], results.model.sds[0]
    raw[4] = mean
    expected = np.clip((raw - mean) / sd - (batch == "B"), -1.5, 1.5)
    assert drawn[:, 0] == pytest.approx(expected)
    assert np.isfinite(drawn).all()
    assert as_read(plain) == pytest.approx(plain.model.z_scores(plain.table))
