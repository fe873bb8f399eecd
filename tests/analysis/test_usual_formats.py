from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steamdino.analysis.usual_formats import Formats, usual_formats

counted = st.lists(st.tuples(st.integers(8, 900), st.integers(8, 900), st.integers(1, 50)), max_size=12)


def test_all_formats_that_enough_banners_share_are_usual() -> None:
    formats = usual_formats([(600, 900, 300), (460, 215, 120), (200, 300, 100), (600, 600, 1)])
    assert formats.sizes == ((600, 900), (460, 215), (200, 300))
    assert formats.aspects == (600 / 900, 460 / 215)
    assert formats.closest_size((600, 600)) == ((600, 900), pytest.approx(2 / 3))
    assert formats.closest_aspect(1.0) == (600 / 900, pytest.approx(2 / 3))


def test_aspect_ratios_that_differ_by_rounding_count_together() -> None:
    formats = usual_formats([(200, 300, 96), (200, 252, 2), (200, 251, 2), (200, 250, 2)])
    assert formats.aspects == (200 / 300, 200 / 252, 200 / 251, 200 / 250)
    assert usual_formats([(200, 300, 96), (200, 252, 2), (200, 220, 2), (200, 190, 2)]).aspects == (
        200 / 300,
    )


def test_the_most_common_aspect_ratio_stands_for_those_around_it() -> None:
    assert usual_formats([(195, 260, 50), (200, 267, 30), (200, 263, 8)]).aspects == (0.75,)


def test_few_banners_make_no_format_usual() -> None:
    assert usual_formats([]) == usual_formats([(600, 900, 2), (460, 215, 2)]) == Formats()
    assert usual_formats([(600, 900, 3)]) == Formats(((600, 900),), (600 / 900,))


def test_sizes_do_not_matter_where_many_banners_have_sizes_of_their_own() -> None:
    singles = [(200, 280 + n, 1) for n in range(11)]
    assert usual_formats([(200, 300, 89), *singles]).sizes == ()
    assert usual_formats([(200, 300, 90), *singles[:10]]).sizes == ((200, 300),)


def test_everything_is_usual_where_nothing_is() -> None:
    assert Formats().closest_size((5, 7)) == ((5, 7), 1.0)
    assert Formats().closest_aspect(0.3) == (0.3, 1.0)


@given(counted, st.tuples(st.integers(8, 900), st.integers(8, 900)))
def test_closeness_is_from_0_to_1_and_1_for_what_is_usual(
    sizes: list[tuple[int, int, int]], size: tuple[int, int]
) -> None:
    formats = usual_formats(sorted(sizes, key=lambda one: -one[2]))
    for usual, closeness in (formats.closest_size(size), formats.closest_aspect(size[0] / size[1])):
        assert 0 < closeness <= 1 and usual
    assert all(formats.closest_size(one) == (one, 1.0) for one in formats.sizes)
    assert all(formats.closest_aspect(one) == (one, 1.0) for one in formats.aspects)
    best = max((min(size[0] / size[1] / a, a / (size[0] / size[1])) for a in formats.aspects), default=1.0)
    assert formats.closest_aspect(size[0] / size[1])[1] == best
