from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from steamdino.index.exact import nearest


@given(st.data())
def test_the_nearest_are_those_of_a_full_sort(data: st.DataObject) -> None:
    count, dim = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 4))
    # Few different values make many equal scores, which is where a partial sort goes wrong.
    values = data.draw(st.lists(st.integers(-2, 2), min_size=count * dim, max_size=count * dim))
    vectors = np.array(values, np.float32).reshape(count, dim)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1)
    query = vectors[data.draw(st.integers(0, count - 1))]
    k = data.draw(st.integers(1, 50))
    exclude = data.draw(st.none() | st.integers(0, count - 1))

    scores = vectors @ query
    expected = [row for row in sorted(range(count), key=lambda row: (-scores[row], row)) if row != exclude][
        :k
    ]
    rows, cosines = nearest(vectors, query, k, exclude=exclude)
    assert rows.tolist() == expected
    assert cosines.tolist() == np.clip(scores[expected], -1, 1).tolist()


def test_of_equal_rows_the_lower_comes_first_and_the_query_is_left_out_by_its_row() -> None:
    vectors = np.repeat(np.array([[1, 0]], np.float32), 5, axis=0)
    rows, cosines = nearest(vectors, vectors[3], 3, exclude=3)
    assert rows.tolist() == [0, 1, 2]
    assert cosines.tolist() == [1, 1, 1]


def test_no_rows_have_no_neighbours() -> None:
    rows, cosines = nearest(np.empty((0, 4), np.float32), np.ones(4, np.float32), 3)
    assert (len(rows), len(cosines)) == (0, 0)
