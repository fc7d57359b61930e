"""Elastic-net path of logistic regression, by the algorithm of glmnet.

For every penalty of a decreasing sequence the log-likelihood is replaced by its quadratic
approximation (IRLS), which cyclic coordinate descent minimises over the features that the
sequential strong rule admits; features that violate the KKT conditions are added and the
step is repeated. Between sweeps over all admitted features, those that have entered the
model are swept alone. Where they need many cycles, as features that resemble each other do,
the cycles go on on their Gram matrix, where the cost of a cycle does not grow with the number
of cases.

Of very many cases the Gram matrix of all features is made once and held: along the path the
weights change slowly, so that the minimum of an approximation with earlier weights, but the
present gradient, is nearly that of the present one. A step then reads the data twice, and the
steps end where they end with the present weights.

Sources: Friedman, Hastie, Tibshirani, J Stat Softw 2010;33(1), sections 2.5 and 3;
Tibshirani et al., J R Stat Soc B 2012;74:245 (strong rules).
"""

from typing import NamedTuple

import numpy as np

from centrum.arrays import Flags, Floats, Ints
from centrum.kernels.cache import kernel, part

PROBABILITY_FLOOR = 1e-9
"""Fitted probabilities nearer to 0 or 1 than this count as 0 or 1."""

DEVIANCE_RATIO_LIMIT = 0.999
"""The path ends once more than this share of the null deviance is explained."""

DEVIANCE_RATIO_STEP = 1e-5
"""The path ends once a step adds less than this share of the null deviance."""

SHORTEST_PATH = 5
"""The stopping rules on the deviance do not apply before this many steps."""

COORDINATES_PER_SWEEP = 4
"""One cycle for so many active coordinates is tried before their Gram matrix is made, which
costs about as much as these cycles."""

SWEEPS_BEFORE_JUMP = 10
"""Cycles on the Gram matrix after which the linear system is solved at once."""

COORDINATES_OF_A_JUMP = 3
"""Solving the linear system of n coordinates costs as much as n / 3 cycles on their Gram matrix."""

STEPS_HELD = 4
"""A held Gram matrix that needs so many steps for one penalty is made anew before each further."""

SHARE_OF_TOLERANCE = 0.01
"""Cycles on a held Gram matrix, which cost little beside a step, go on to this share of the
tolerance: theirs is then the smaller error."""

NUMBERS_AT_ONCE = 4_000_000
"""Of the rows that a Gram matrix is made of so many are copied at a time (32 MB)."""

SINGULAR = 1e-9
"""A pivot below this share of its diagonal element means that a feature depends on others."""


class PenalisedProblem(NamedTuple):
    """What is fitted; float64 arrays in C order.

    x : (coordinates, cases), rows standardised; the last row is constant 1, the intercept
    y : (cases,) 0 or 1, both present
    weights : (cases,) sum 1
    penalty : (coordinates,) 1 where the coefficient is penalised, 0 for the intercept
    """

    x: Floats
    y: Floats
    weights: Floats
    penalty: Floats


class State(NamedTuple):
    """Where the fit stands; arrays that the functions below overwrite.

    beta : (coordinates,) coefficients
    v : (cases,) weights of the quadratic approximation
    residual : (cases,) working residual times `v`, so that x @ residual is the gradient
    admitted : (coordinates,) whether swept at all
    active : (coordinates,) whether ever non-zero, or not penalised
    score : (coordinates,) |gradient| when last looked at, of those not admitted
    """

    beta: Floats
    v: Floats
    residual: Floats
    admitted: Flags
    active: Flags
    score: Floats


def null_state(problem: PenalisedProblem) -> State:
    """The model with the intercept alone, and the score of every penalised coordinate."""
    prevalence = problem.weights @ problem.y
    free = problem.penalty == 0
    beta = np.zeros(problem.penalty.size)
    beta[-1] = np.log(prevalence / (1 - prevalence))
    score = np.abs(problem.x @ (problem.weights * (problem.y - prevalence)))
    score[free] = 0.0
    v, residual = np.empty_like(problem.y), np.empty_like(problem.y)
    return State(beta, v, residual, admitted=free, active=free.copy(), score=score)


@part
def _soft_threshold(u: float, limit: float) -> float:
    return max(u - limit, 0.0) + min(u + limit, 0.0)


@part(fastmath={"reassoc", "contract"})
def _dot(a: Floats, b: Floats) -> float:
    """Inlined: on few cases calling the linear algebra takes longer than its work."""
    total = 0.0
    for i in range(a.size):
        total += a[i] * b[i]
    return total


@part
def _follow(residual: Floats, v: Floats, row: Floats, change: float) -> None:
    """Change the residual as a coefficient changes."""
    for i in range(row.size):
        residual[i] -= change * v[i] * row[i]


@part
def _sweep(
    problem: PenalisedProblem,
    state: State,
    curvature: Floats,
    coordinates: Ints,
    l1: float,
    l2: float,
) -> float:
    """One cycle over some coordinates; the largest change squared times curvature."""
    largest = 0.0
    for k in coordinates:
        row = problem.x[k]
        old = state.beta[k]
        u = _dot(row, state.residual) + curvature[k] * old
        limit = l1 * problem.penalty[k]
        new = _soft_threshold(u, limit) / (curvature[k] + l2 * problem.penalty[k])
        change = new - old
        if change != 0.0:
            state.active[k] = True
            state.beta[k] = new
            _follow(state.residual, state.v, row, change)
            largest = max(largest, curvature[k] * change * change)
    return largest


@part
def _true_positions(flags: Flags) -> Ints:
    found = np.empty(flags.size, np.int64)
    count = 0
    for k in range(flags.size):
        if flags[k]:
            found[count] = k
            count += 1
    return found[:count]


@part
def _sweep_gram(
    gram: Floats, gradient: Floats, penalty: Floats, beta: Floats, l1: float, l2: float
) -> float:
    """One cycle on the Gram matrix; overwrites `gradient` and `beta`; the largest change."""
    largest = 0.0
    for a in range(beta.size):
        curvature = gram[a, a]
        u = gradient[a] + curvature * beta[a]
        new = _soft_threshold(u, l1 * penalty[a]) / (curvature + l2 * penalty[a])
        change = new - beta[a]
        if change != 0.0:
            beta[a] = new
            column = gram[a]
            for b in range(beta.size):
                gradient[b] -= change * column[b]
            largest = max(largest, curvature * change * change)
    return largest


@part
def _solve(matrix: Floats, right: Floats) -> None:
    """Overwrite `right` with the solution, by elimination of the symmetric `matrix`.

    A row that depends on those before it, as a copy of a feature does, gets the solution 0.
    """
    size = right.size
    floor = np.empty(size)
    for a in range(size):
        floor[a] = SINGULAR * matrix[a, a]
    for a in range(size):
        if matrix[a, a] <= floor[a]:
            matrix[a, a] = np.inf
        for b in range(a + 1, size):
            factor = matrix[a, b] / matrix[a, a]
            for c in range(b, size):
                matrix[b, c] -= factor * matrix[a, c]
            right[b] -= factor * right[a]
    for a in range(size - 1, -1, -1):
        for b in range(a + 1, size):
            right[a] -= matrix[a, b] * right[b]
        right[a] /= matrix[a, a]


@part
def _jump(
    gram: Floats, gradient: Floats, penalty: Floats, beta: Floats, l1: float, l2: float
) -> None:
    """Go to the minimum over the non-zero coefficients, or to where the first becomes zero.

    Features that resemble each other make coordinate descent slow; one linear system replaces
    thousands of cycles. The step only lowers the objective, so that the cycles still converge.
    """
    flags = np.empty(beta.size, np.bool_)
    for a in range(beta.size):
        flags[a] = beta[a] != 0.0 or penalty[a] == 0.0
    support = _true_positions(flags)
    system = np.empty((support.size, support.size))
    step = np.empty(support.size)
    for i in range(support.size):
        a = support[i]
        for j in range(support.size):
            system[i, j] = gram[a, support[j]]
        system[i, i] += l2 * penalty[a]
        sign = 1.0 if beta[a] > 0.0 else -1.0
        step[i] = gradient[a] - penalty[a] * (l1 * sign + l2 * beta[a])
    _solve(system, step)
    length = 1.0
    for i in range(support.size):
        a = support[i]
        if penalty[a] > 0.0 and beta[a] * (beta[a] + length * step[i]) < 0.0:
            length = -beta[a] / step[i]
    for i in range(support.size):
        a = support[i]
        new = beta[a] + length * step[i]
        if penalty[a] > 0.0 and new * beta[a] <= 0.0:
            new = 0.0
        change = new - beta[a]
        beta[a] = new
        column = gram[a]
        for b in range(beta.size):
            gradient[b] -= change * column[b]


@part
def _cycle_on_gram(
    gram: Floats,
    gradient: Floats,
    penalty: Floats,
    beta: Floats,
    l1: float,
    l2: float,
    tolerance: float,
    max_sweeps: int,
    before_jump: int,
) -> int:
    """Cycle until converged; overwrites `gradient` and `beta`; the number of cycles."""
    sweeps = 0
    largest = np.inf
    while largest >= tolerance and sweeps < max_sweeps:
        sweeps += 1
        largest = _sweep_gram(gram, gradient, penalty, beta, l1, l2)
        if sweeps % before_jump == 0:
            _jump(gram, gradient, penalty, beta, l1, l2)
    return sweeps


@part
def _minimise_active(
    problem: PenalisedProblem,
    state: State,
    curvature: Floats,
    l1: float,
    l2: float,
    tolerance: float,
    max_sweeps: int,
) -> int:
    """Cycle over the active coordinates until converged; the number of cycles."""
    index = _true_positions(state.active)
    patience = min(max_sweeps, index.size // COORDINATES_PER_SWEEP)
    for sweeps in range(1, patience + 1):
        if _sweep(problem, state, curvature, index, l1, l2) < tolerance:
            return sweeps
    return patience + _minimise_on_gram(
        problem, state, index, l1, l2, tolerance, max_sweeps - patience
    )


@part
def _gradient_and_gram(
    problem: PenalisedProblem, state: State, index: Ints
) -> tuple[Floats, Floats]:
    """Of the coordinates `index`, summed over blocks of cases."""
    gradient, gram = np.zeros(index.size), np.zeros((index.size, index.size))
    cases = state.v.size
    step = max(1, NUMBERS_AT_ONCE // index.size)
    for begin in range(0, cases, step):
        end = min(begin + step, cases)
        rows = np.empty((index.size, end - begin))
        for a in range(index.size):
            rows[a] = problem.x[index[a], begin:end]
        gradient += np.dot(rows, state.residual[begin:end])
        gram += np.dot(rows * state.v[begin:end], rows.T)
    return gradient, gram


@part
def _minimise_on_gram(
    problem: PenalisedProblem,
    state: State,
    index: Ints,
    l1: float,
    l2: float,
    tolerance: float,
    max_sweeps: int,
) -> int:
    """Cycle over the coordinates `index` on their Gram matrix; the number of cycles."""
    penalty, beta = problem.penalty[index], state.beta[index]
    gradient, gram = _gradient_and_gram(problem, state, index)
    sweeps = _cycle_on_gram(
        gram, gradient, penalty, beta, l1, l2, tolerance, max_sweeps, SWEEPS_BEFORE_JUMP
    )
    for a in range(index.size):
        _follow(state.residual, state.v, problem.x[index[a]], beta[a] - state.beta[index[a]])
        state.beta[index[a]] = beta[a]
    return sweeps


@part
def _approximate(problem: PenalisedProblem, state: State) -> float:
    """Set `v` and `residual` at `beta`; the log-likelihood per unit of weight."""
    limit = np.log(1.0 / PROBABILITY_FLOOR - 1.0)
    eta = np.zeros(problem.y.size)
    for k in range(state.beta.size):
        if state.beta[k] != 0.0:
            row = problem.x[k]
            for i in range(eta.size):
                eta[i] += state.beta[k] * row[i]
    likelihood = 0.0
    for i in range(eta.size):
        bounded = min(max(eta[i], -limit), limit)
        p = 1.0 / (1.0 + np.exp(-bounded))
        if eta[i] != bounded:
            p = 1.0 if eta[i] > 0 else 0.0
        weight = problem.weights[i]
        likelihood += weight * (problem.y[i] * bounded - np.log1p(np.exp(bounded)))
        state.v[i] = weight * p * (1.0 - p)
        state.residual[i] = weight * (problem.y[i] - p)
    return likelihood


@part
def _admit(problem: PenalisedProblem, state: State, gradient: Floats, limit: float) -> bool:
    """Admit the coordinates whose |gradient| exceeds `limit`; whether there were any."""
    found = False
    for k in range(gradient.size):
        if not state.admitted[k]:
            state.score[k] = abs(gradient[k])
            if state.score[k] > limit * problem.penalty[k]:
                state.admitted[k] = True
                found = True
    return found


@part
def _curvature(problem: PenalisedProblem, state: State, curvature: Floats) -> None:
    """Second derivatives of the admitted coordinates."""
    for k in range(curvature.size):
        if state.admitted[k]:
            total = 0.0
            for i in range(state.v.size):
                total += state.v[i] * problem.x[k, i] ** 2
            curvature[k] = total


@part
def _moved(curvature: Floats, before: Floats, after: Floats) -> float:
    """The largest change of a coefficient, squared and times its curvature."""
    largest = 0.0
    for k in range(curvature.size):
        largest = max(largest, curvature[k] * (after[k] - before[k]) ** 2)
    return largest


@part
def _minimise(
    problem: PenalisedProblem, state: State, l1: float, l2: float, tolerance: float, max_sweeps: int
) -> tuple[float, int]:
    """Fit one penalty from the warm start in `state`; log-likelihood and cycles used."""
    saturated = PROBABILITY_FLOOR * (1 - PROBABILITY_FLOOR**2)
    curvature = np.zeros(state.beta.size)
    likelihood = 0.0
    sweeps = 0
    while sweeps < max_sweeps:
        before = state.beta.copy()
        _curvature(problem, state, curvature)
        admitted = _true_positions(state.admitted)
        while sweeps < max_sweeps:
            sweeps += 1
            if _sweep(problem, state, curvature, admitted, l1, l2) < tolerance:
                break
            sweeps += _minimise_active(
                problem, state, curvature, l1, l2, tolerance, max_sweeps - sweeps
            )
        likelihood = _approximate(problem, state)
        if np.sum(state.v) <= saturated:
            break
        moved = _moved(curvature, before, state.beta)
        if moved < tolerance:
            gradient = np.dot(problem.x, state.residual)
            if not _admit(problem, state, gradient, l1):
                break
    return likelihood, sweeps


@part
def _minimise_held(
    problem: PenalisedProblem,
    state: State,
    gram: Floats,
    gradient: Floats,
    l1: float,
    l2: float,
    tolerance: float,
    max_sweeps: int,
) -> tuple[float, int]:
    """The same on a held Gram matrix; at least one step.

    `gram` is of all coordinates, at earlier coefficients; `gradient` is of the present ones. Both
    are overwritten. That the weights have changed since by a common factor is made up for.
    """
    saturated = PROBABILITY_FLOOR * (1 - PROBABILITY_FLOOR**2)
    beta, likelihood = np.empty_like(state.beta), 0.0
    steps = sweeps = 0
    while sweeps < max_sweeps:
        beta[:] = state.beta
        scale = np.sum(state.v) / gram[-1, -1]
        sweeps += _step_on_gram(
            problem, state, gram, scale, gradient, beta, l1, l2, tolerance, max_sweeps - sweeps
        )
        moved = scale * _moved(np.diag(gram), state.beta, beta)
        if moved < tolerance and steps > 0:
            if not _admit(problem, state, gradient, l1):
                break
            continue
        state.beta[:] = beta
        likelihood = _approximate(problem, state)
        gradient[:] = np.dot(problem.x, state.residual)
        if np.sum(state.v) <= saturated:
            break
        steps += 1
        if steps >= STEPS_HELD:
            _, gram[:] = _gradient_and_gram(problem, state, np.arange(gradient.size))
    return likelihood, sweeps


@part
def _step_on_gram(
    problem: PenalisedProblem,
    state: State,
    gram: Floats,
    scale: float,
    gradient: Floats,
    beta: Floats,
    l1: float,
    l2: float,
    tolerance: float,
    max_sweeps: int,
) -> int:
    """Minimise the quadratic approximation over the admitted coordinates; the number of cycles."""
    index = _true_positions(state.admitted)
    own = np.empty((index.size, index.size))
    for a in range(index.size):
        for b in range(index.size):
            own[a, b] = scale * gram[index[a], index[b]]
    some = beta[index]
    sweeps = _cycle_on_gram(
        own,
        gradient[index],
        problem.penalty[index],
        some,
        l1,
        l2,
        SHARE_OF_TOLERANCE * tolerance,
        max_sweeps,
        max(SWEEPS_BEFORE_JUMP, index.size // COORDINATES_OF_A_JUMP),
    )
    beta[index] = some
    return sweeps


@kernel
def logistic_path(
    problem: PenalisedProblem,
    state: State,
    lambdas: Floats,
    l1_ratio: float,
    threshold: float,
    max_sweeps: int,
    held: bool,
) -> tuple[Floats, Floats, bool]:
    """Coefficients of the elastic-net logistic regression along a path of penalties.

    Parameters
    ----------
    problem : the data
    state : as `null_state` makes it; overwritten
    lambdas : decreasing; the first is the smallest that selects nothing
    l1_ratio : 1 is the LASSO; the penalty is lambda (l1_ratio |b| + (1 - l1_ratio) b^2 / 2)
    threshold : a cycle has converged when no coordinate's change, squared and times its
        curvature, reaches `threshold` times the null deviance (glmnet's `thresh`)
    max_sweeps : cycles allowed per penalty; the path ends before a penalty that needs more
    held : whether to hold the Gram matrix of all coordinates, as is best of very many cases

    Returns
    -------
    coefficients (steps, coordinates), deviance ratios (steps,), whether the path ended
    for another reason than `max_sweeps`
    """
    null = _approximate(problem, state)
    path = np.zeros((lambdas.size, state.beta.size))
    ratios = np.zeros(lambdas.size)
    path[0, -1] = state.beta[-1]
    gradient, gram = np.empty(0), np.empty((0, 0))
    if held:
        gradient, gram = _gradient_and_gram(problem, state, np.arange(state.beta.size))
    for step in range(1, lambdas.size):
        l1, l2 = lambdas[step] * l1_ratio, lambdas[step] * (1 - l1_ratio)
        for k in range(state.score.size):
            if state.score[k] > l1_ratio * (2 * lambdas[step] - lambdas[step - 1]):
                state.admitted[k] = True
        if held:
            likelihood, sweeps = _minimise_held(
                problem, state, gram, gradient, l1, l2, -threshold * null, max_sweeps
            )
        else:
            likelihood, sweeps = _minimise(problem, state, l1, l2, -threshold * null, max_sweeps)
        if sweeps >= max_sweeps:
            return path[:step], ratios[:step], False
        for k in range(state.beta.size):
            path[step, k] = state.beta[k]
        ratios[step] = 1 - likelihood / null
        if step + 1 >= SHORTEST_PATH and (
            ratios[step] > DEVIANCE_RATIO_LIMIT
            or ratios[step] - ratios[step - 1] < DEVIANCE_RATIO_STEP
        ):
            return path[: step + 1], ratios[: step + 1], True
    return path, ratios, True
