"""Made-up external validations of a made-up study."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from centrum.evaluate import Scored, evaluate
from centrum.evaluate.bootstrap import case_weights
from centrum.evaluate.calibration import calibration
from centrum.evaluate.decision_curve import decision_curve
from centrum.evaluate.discrimination import roc_band
from centrum.frozen.domain import Domain
from centrum.frozen.external_record import ExternalRecord
from centrum.frozen.people import People
from centrum.io.facts import Facts
from centrum.report.results import StudyResults

SCANNER = {"manufacturer": "GE", "field_strength_t": 1.5}


def external_of(
    results: StudyResults,
    *,
    n: int = 40,
    per_patient: int = 1,
    centres: Mapping[str, int] | None = None,
    simulated: bool | None = None,
    shared: int = 0,
    refused: int = 0,
    scanner: Facts = SCANNER,
    better: float = 1.2,
    known: bool = True,
) -> ExternalRecord:
    """A validation on n cases, half of them positive, whose scores part the outcomes somewhat.

    Parameters
    ----------
    centres : centre -> cases; the first n cases are those of known centre
    simulated : as the study if not given
    shared : cases whose score is that of a case of the study
    known : whether age and sex are
    """
    rng = np.random.default_rng(7)
    positive = np.arange(n) % 2 == 0
    scores = rng.normal(size=n) + better * positive
    scores[:shared] = results.scores["score"].to_numpy()[:shared]
    likely = results.evaluation.decision.probability(scores)
    patients = np.arange(n) // per_patient
    named = [name for name, k in (centres or {}).items() for _ in range(k)]
    manifest = pd.DataFrame(
        {
            "patient": patients,
            "age": np.where(known, 50.0 + patients % 30, np.nan),
            "sex": [("F", "M", "M")[p % 3] if known else None for p in patients],
            "centre": (named + [None] * n)[:n],
        }
    )
    is_simulated = bool(results.simulated) if simulated is None else simulated
    ranked, probable = (Scored.of(s, positive, patients) for s in (scores, likely))
    weights = case_weights(probable, 100, 1)
    return ExternalRecord(
        refused=refused,
        people=People.of(manifest, Domain.of([scanner] * n, ()), is_simulated),
        evaluation=evaluate(
            scores, positive, patients, results.cutoff, name="external", seed=1, n_resamples=100
        ),
        band=roc_band(ranked, weights, 0.95),
        calibration=calibration(probable, 5),
        decision_curve=decision_curve(probable, weights),
        positive=positive,
        scores=scores,
        probability=np.asarray(likely),
    )
