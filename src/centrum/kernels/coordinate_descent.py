"""Elastic-net path of logistic regression, by the algorithm of glmnet.

For every penalty of a decreasing sequence the log-likelihood is replaced by its quadratic
approximation (IRLS), which cyclic coordinate descent minimises over the features that the
sequential strong rule lets in; features that violate the KKT conditions are added and the
step is repeated. Between sweeps over all admitted features, the features that have entered
the model are swept alone on their Gram matrix, where one sweep costs nothing that grows with
the number of cases.

Sources: Friedman, Hastie, Tibshirani, J Stat Softw 2010;33(1), sections 2.5 and 3;
Tibshirani et al., J R Stat Soc B 2012;74:245 (strong rules).

All arrays are float64. `x` has one row per coordinate, shape (coordinates, cases), C order,
each row standardised; its last row is constant one, the intercept, whose entry in `penalty`
is zero. `w` are the weights of the cases, their sum is one.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

PROBABILITY_FLOOR = 1e-9
"""Fitted probabilities nearer to 0 or 1 than this count as 0 or 1."""

DEVIANCE_RATIO_LIMIT = 0.999
"""The path ends once this share of the null deviance is explained."""

DEVIANCE_RATIO_STEP = 1e-5
"""The path ends once a step adds less than this share of the null deviance."""

SHORTEST_PATH = 5
"""The stopping rules on the deviance do not apply before this many steps."""


@njit(cache=True, nogil=True)
def _soft_threshold(u: float, limit: float) -> float:
    if u > limit:
        return u - limit
    if u < -limit:
        return u + limit
    return 0.0


@njit(cache=True, nogil=True)
def _sweep(  # type: ignore[no-untyped-def]
    x, residual, v, curvature, penalty, l1, l2, strong, active, beta
) -> float:
    """One cycle over the admitted coordinates; the largest weighted squared change."""
    largest = 0.0
    for k in range(x.shape[0]):
        if not strong[k]:
            continue
        u = np.dot(x[k], residual) + curvature[k] * beta[k]
        new = _soft_threshold(u, l1 * penalty[k]) / (curvature[k] + l2 * penalty[k])
        change = new - beta[k]
        if change != 0.0:
            beta[k] = new
            active[k] = True
            row = x[k]
            for i in range(row.size):
                residual[i] -= change * v[i] * row[i]
            largest = max(largest, curvature[k] * change * change)
    return largest


@njit(cache=True, nogil=True)
def _gram(rows: Floats, v: Floats) -> Floats:
    """rows.T @ diag(v) @ rows for `rows` (cases, coordinates)."""
    n, m = rows.shape
    gram = np.zeros((m, m))
    for i in range(n):
        row = rows[i]
        for a in range(m):
            factor = v[i] * row[a]
            for b in range(m):
                gram[a, b] += factor * row[b]
    return gram


@njit(cache=True, nogil=True)
def _sweep_active(  # type: ignore[no-untyped-def]
    x, residual, v, penalty, l1, l2, active, beta, tolerance, max_sweeps
) -> int:
    """Cycle over the active coordinates until converged; the number of cycles."""
    index = np.flatnonzero(active)
    rows = np.ascontiguousarray(x[index].T)
    gram = _gram(rows, v)
    gradient = np.dot(x[index], residual)
    start = beta[index]
    now = start.copy()
    sweeps = 0
    largest = np.inf
    while largest >= tolerance and sweeps < max_sweeps:
        sweeps += 1
        largest = 0.0
        for a in range(index.size):
            curvature = gram[a, a]
            weight = penalty[index[a]]
            u = gradient[a] + curvature * now[a]
            new = _soft_threshold(u, l1 * weight) / (curvature + l2 * weight)
            change = new - now[a]
            if change != 0.0:
                now[a] = new
                column = gram[a]
                for b in range(index.size):
                    gradient[b] -= change * column[b]
                largest = max(largest, curvature * change * change)
    beta[index] = now
    residual -= v * np.dot(rows, now - start)
    return sweeps


@njit(cache=True, nogil=True)
def _working_response(x, y, w, active, beta, v, residual) -> float:  # type: ignore[no-untyped-def]
    """Set IRLS weights `v` and score `residual` at `beta`; the log-likelihood per unit weight."""
    eta = np.zeros(y.size)
    for k in np.flatnonzero(active):
        eta += beta[k] * x[k]
    limit = np.log(1.0 / PROBABILITY_FLOOR - 1.0)
    likelihood = 0.0
    for i in range(y.size):
        bounded = min(max(eta[i], -limit), limit)
        likelihood += w[i] * (y[i] * bounded - np.log1p(np.exp(bounded)))
        p = 1.0 / (1.0 + np.exp(-eta[i]))
        if eta[i] != bounded:
            p = np.round(p)
        v[i] = w[i] * p * (1.0 - p)
        residual[i] = w[i] * (y[i] - p)
    return likelihood


@njit(cache=True, nogil=True)
def _admit(x, residual, penalty, limit, strong, score) -> bool:  # type: ignore[no-untyped-def]
    """Admit the coordinates whose |gradient| exceeds `limit`; whether there were any."""
    found = False
    for k in range(x.shape[0]):
        if not strong[k]:
            score[k] = abs(np.dot(x[k], residual))
            if score[k] > limit * penalty[k]:
                strong[k] = True
                found = True
    return found


@njit(cache=True, nogil=True)
def _fit_one(  # type: ignore[no-untyped-def]
    x, y, w, penalty, l1, l2, strong, active, score, beta, v, residual, tolerance, max_sweeps
) -> tuple[float, int]:
    """Minimise at one penalty from the warm start `beta`; log-likelihood and cycles used."""
    saturated = (1 + PROBABILITY_FLOOR) * PROBABILITY_FLOOR * (1 - PROBABILITY_FLOOR)
    curvature = np.zeros(x.shape[0])
    sweeps = 0
    likelihood = 0.0
    while sweeps < max_sweeps:
        before = beta.copy()
        for k in np.flatnonzero(strong):
            curvature[k] = np.sum(v * x[k] * x[k])
        while sweeps < max_sweeps:
            sweeps += 1
            change = _sweep(x, residual, v, curvature, penalty, l1, l2, strong, active, beta)
            if change < tolerance:
                break
            sweeps += _sweep_active(
                x, residual, v, penalty, l1, l2, active, beta, tolerance, max_sweeps - sweeps
            )
        likelihood = _working_response(x, y, w, active, beta, v, residual)
        if np.sum(v) <= saturated:
            break
        if np.max(curvature * (beta - before) ** 2) < tolerance and not _admit(
            x, residual, penalty, l1, strong, score
        ):
            break
    return likelihood, sweeps


@njit(cache=True, nogil=True)
def logistic_path(  # type: ignore[no-untyped-def]
    x, y, w, penalty, l1_ratio, n_lambdas, smallest, threshold, max_sweeps
) -> tuple[Floats, Floats, Floats, int]:
    """Coefficients of the elastic-net logistic regression along a path of penalties.

    Parameters
    ----------
    x : (coordinates, cases), see the module's text
    y : (cases,) 0.0 or 1.0, both present
    w : (cases,) weights, sum 1
    penalty : (coordinates,) factor of the penalty of each coordinate, 0 for the intercept
    l1_ratio : 1 is the LASSO; the penalty is lambda (l1_ratio |b| + (1 - l1_ratio) b^2 / 2)
    n_lambdas : length of the sequence, at least 3, from the smallest penalty that selects
        nothing down to `smallest` times it, evenly on the log scale
    smallest : ratio of the last to the first penalty
    threshold : a cycle has converged when no coordinate's squared change, times its
        curvature, reaches `threshold` times the null deviance (glmnet's `thresh`)
    max_sweeps : cycles allowed per penalty; the path ends before the first one that needs more

    Returns
    -------
    lambdas (steps,), coefficients (steps, coordinates), deviance ratio (steps,), cycles used
    """
    coordinates, cases = x.shape
    intercept = coordinates - 1
    beta = np.zeros(coordinates)
    prevalence = np.dot(w, y)
    beta[intercept] = np.log(prevalence / (1 - prevalence))
    strong = penalty == 0.0
    active = strong.copy()
    v = np.empty(cases)
    residual = np.empty(cases)
    null = _working_response(x, y, w, active, beta, v, residual)
    tolerance = threshold * -null
    score = np.zeros(coordinates)
    _admit(x, residual, penalty, np.inf, strong, score)

    decay = smallest ** (1.0 / (n_lambdas - 1))
    lambdas = np.max(score) / max(l1_ratio, 1e-3) * decay ** np.arange(n_lambdas)
    path = np.zeros((n_lambdas, coordinates))
    ratio = np.zeros(n_lambdas)
    total = 0
    path[0] = beta
    for step in range(1, n_lambdas):
        l1 = lambdas[step] * l1_ratio
        l2 = lambdas[step] * (1 - l1_ratio)
        strong |= score > penalty * l1_ratio * (2 * lambdas[step] - lambdas[step - 1])
        likelihood, sweeps = _fit_one(
            x, y, w, penalty, l1, l2, strong, active, score, beta, v, residual,
            tolerance, max_sweeps,
        )  # fmt: skip
        total += sweeps
        if sweeps >= max_sweeps:
            return lambdas[:step], path[:step], ratio[:step], total
        path[step] = beta
        ratio[step] = 1 - likelihood / null
        if step + 1 >= SHORTEST_PATH and (
            ratio[step] > DEVIANCE_RATIO_LIMIT
            or ratio[step] - ratio[step - 1] < DEVIANCE_RATIO_STEP
        ):
            return lambdas[: step + 1], path[: step + 1], ratio[: step + 1], total
    return lambdas, path, ratio, total
