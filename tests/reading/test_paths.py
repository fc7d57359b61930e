import numpy as np
from hypothesis import given, strategies as st
from scipy.sparse.csgraph import dijkstra

from centrum.reading.paths import pixel_graph

sides = st.integers(1, 6)


def lengths(a, b, mm):
    return np.full(a.shape, mm)


@given(sides, sides, st.floats(0.3, 3), st.floats(0.3, 3))
def test_every_pixel_is_joined_to_its_neighbours_alone(rows, columns, down, along):
    graph = pixel_graph(np.zeros((rows, columns)), (down, along), lengths).toarray()
    i, j = (each.ravel() for each in np.indices((rows, columns)))
    di, dj = np.abs(i[:, None] - i), np.abs(j[:, None] - j)
    near = np.maximum(di, dj) == 1
    np.testing.assert_allclose(graph, np.where(near, np.hypot(di * down, dj * along), 0))


def test_what_costs_nothing_is_still_a_way():
    graph = pixel_graph(np.zeros((1, 3)), (1, 1), lambda a, b, mm: np.zeros(a.shape))
    assert np.isfinite(dijkstra(graph, indices=0)).all()
