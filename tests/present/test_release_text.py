from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steamdino.periods import quarter_of
from steamdino.present.release_text import period_text, release_text


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({}, ""),
        ({"released": "soon"}, ""),
        ({"released": "2026-11-27"}, "Released 27 Nov 2026"),
        ({"release_date": {"coming_soon": False, "date": "1 Aug, 2012"}}, "Released 1 Aug 2012"),
        ({"released": "2026-11-27", "coming_soon": True}, "Coming 27 Nov 2026"),
        ({"released": "2026-11", "coming_soon": True}, "Coming Nov 2026"),
        ({"released": "2026-Q4", "coming_soon": True}, "Coming Q4 2026"),
        ({"released": "2027", "coming_soon": True}, "Coming 2027"),
        ({"released": "2027", "coming_soon": True, "release_message": "When it's done"}, "Coming 2027"),
        ({"coming_soon": True, "release_message": "To be announced"}, "To be announced"),
        ({"coming_soon": True, "release_message": 7}, "Coming soon"),
        ({"coming_soon": True}, "Coming soon"),
        ({"release_message": "To be announced"}, ""),  # it is released, and the message is left over
        ({"early_access_since": "2022-03-31"}, "Early access since 31 Mar 2022"),
        ({"released": "2022-03-31", "early_access_since": "2022-03-31"}, "Early access since 31 Mar 2022"),
        (
            {"released": "2024-03-21", "early_access_since": "2022-03-31"},
            "Released 21 Mar 2024, in early access from 31 Mar 2022",
        ),
    ],
)
def test_a_release_is_told_as_exactly_as_it_is_known(columns: dict[str, Any], expected: str) -> None:
    assert release_text(columns) == expected


@given(st.dates(date(1970, 1, 1), date(2099, 12, 31)))
def test_no_two_periods_look_the_same(day: date) -> None:
    names = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()  # noqa: SIM905
    month = f"{names[day.month - 1]} {day.year}"
    assert period_text(day.isoformat()) == f"{day.day} {month}"
    assert period_text(day.isoformat()[:7]) == month
    assert period_text(quarter_of(day)) == f"Q{(day.month - 1) // 3 + 1} {day.year}"
    assert period_text(str(day.year)) == str(day.year)
