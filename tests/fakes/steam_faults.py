"""What goes wrong between Steam and a client: how often each fault happens, and what it does to lists and details."""

from __future__ import annotations

import random
import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

TRANSPORT = (
    "429",
    "429-after",  # with Retry-After
    "500",
    "reset",
    "truncated",  # fewer bytes than announced
    "short",  # fewer bytes, and announced so: half of a JSON, half of a picture
    "drip",
    "html",  # with status 200, also for a picture
)
"""Faults of any answer."""

CALLS = (
    "eresult-84",  # rate limited
    "eresult-2",  # failed
    "empty-response",  # without the header that says so
    "garbage",  # JSON of other types
)
"""Faults of the calls of the Web API, besides `TRANSPORT`."""

REFUSALS = ("401", "403", "eresult-5", "eresult-15")
"""Answers that end a run: 401 and 403 to anything, the others to calls of the Web API."""

STUMBLES = (
    "empty-page",  # as if the list ended before it
    "stalled",  # no games, though there are more
    "stuck",  # the cursor of a page leads nowhere
    "page-before",  # the page before it once more
    "page-edges",  # some games at its edges are missing, some others come twice; only without a key
)
"""Faults of a page of a list that the client can notice, and that go away when it asks again."""

LIES = (
    "page-short",  # some of its games are missing
    "cut-list",  # as if it were the last one
    "small-total",
    "half-total",
    "large-total",
    "page-elsewhere",  # the page of another position
)
"""Faults of a page of a list that may look right. Only another reading of the list, or the store, shows them."""

DETAILS = ("absent", "success-2", "success-16", "success-84", "success-15", "success-none")
"""Faults of one app in an answer of GetItems; success-15 lacks the "visible" of a refusal."""

PICTURES = (
    "picture-404",
    "redrawn",  # the game gets another picture, at another address, at the moment when its old one is requested
)

TRANSIENT = (*TRANSPORT, *CALLS, *STUMBLES, *DETAILS, *PICTURES)
"""Faults that go away when one asks again."""

IN_A_ROW = 4
"""Faults that one address meets in a row, below the 6 tries of a client."""

STUMBLES_IN_A_ROW = 2
"""Faults that one page of a list, or the details of one app, meet in a row, below the 3 tries of a client."""


@dataclass
class Faults:
    """Draws faults by chance, each at its rate, but spares an address that has met many in a row.

    So chance alone never uses up the tries of a client, however many requests there are. A rate of 1 spares nothing.

    Attributes:
        rates: of each fault, 0 to 1.
        script: faults of the next requests for lists, "" for none; while there are any, chance has no say in those.
        omissions: how many pages of a list may lack one game by mistake.
        served: how often each fault happened.
    """

    seed: int = 0
    rates: dict[str, float] = field(default_factory=dict)
    script: deque[str] = field(default_factory=deque)
    omissions: int = 1
    served: Counter[str] = field(default_factory=Counter)
    _drawn: int = 0
    _in_a_row: Counter[str] = field(default_factory=Counter)
    _omitted: Counter[int] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def draw(self, thing: str, *possible: str, most: int = IN_A_ROW) -> str:
        """Which of these faults happens now to a thing, such as an address; "" for none."""
        with self._lock:
            self._drawn += 1
            chance = random.Random(f"{self.seed}.{self._drawn}").random()
            drawn = ""
            for name in possible:
                rate = self.rates.get(name, 0.0)
                if chance < rate and (rate >= 1 or self._in_a_row[thing] < most):
                    drawn = name
                    break
                chance -= rate
            self._in_a_row[thing] = self._in_a_row[thing] + 1 if drawn else 0
            self._count(drawn)
            return drawn

    def _count(self, fault: str) -> None:
        if fault:
            self.served[fault] += 1

    def scripted(self) -> str | None:
        """Which fault the script has for the next page of a list; None if it says nothing of it."""
        with self._lock:
            if not self.script:
                return None
            fault = self.script.popleft()
            self._count(fault)
            return fault

    def draw_once(self, thing: str, *possible: str) -> str:
        """Which of these faults happens now to a thing to which none has happened yet."""
        if self._in_a_row[f"once {thing}"]:
            return ""
        drawn = self.draw(thing, *possible)
        self._in_a_row[f"once {thing}"] += bool(drawn)
        return drawn

    def omit(self, appid: int) -> bool:
        """Whether a page may lack a game by mistake once more; counts it if so."""
        with self._lock:
            if self._omitted[appid] >= self.omissions:
                return False
            self._omitted[appid] += 1
            return True


@dataclass(frozen=True)
class ListPage:
    """A page of a list as it is sent.

    Attributes:
        appids: in its order.
        total: of the whole list, as it says.
        more: whether it says that more follow.
        cursor: the appID after which it says that the next page begins.
    """

    appids: Sequence[int]
    total: int
    more: bool
    cursor: int


def page_of(listed: Sequence[int], start: int, count: int) -> ListPage:
    """An honest page."""
    appids = listed[start : start + count]
    return ListPage(appids, len(listed), start + count < len(listed), appids[-1] if appids else 0)


def distorted(
    fault: str, listed: Sequence[int], start: int, count: int, omit: Callable[[int], bool]
) -> ListPage:
    """A page of a list with a fault of `STUMBLES` or `LIES`, or "" for none."""
    page = page_of(listed, start, count)
    appids, total = list(page.appids), page.total
    after = listed[start - 1] if 0 < start <= len(listed) else 0
    if fault == "empty-page":
        return ListPage([], 0, False, 0)
    if fault == "stalled":
        return replace(page, appids=[], cursor=after)
    if fault == "stuck":
        return replace(page, cursor=after)
    if fault == "page-edges":
        kept = [a for n, a in enumerate(appids) if 2 <= n < len(appids) - 2 or not omit(a)]
        return replace(page, appids=kept + kept[5:7])
    if fault == "page-before":
        return page_of(listed, max(start - count, 0), count)
    if fault == "page-elsewhere":
        return page_of(listed, (start + len(listed) // 2) % max(len(listed), 1), count)
    if fault == "page-short":
        dice = random.Random(f"{start} {appids}")
        missing = set(dice.sample(appids, min(max(len(appids) // 50, 1), len(appids))))
        return replace(page, appids=[a for a in appids if a not in missing or not omit(a)])
    if fault == "cut-list":
        return replace(page, total=start + len(appids), more=False)
    changed = {"small-total": total - max(total // 50, 1), "half-total": total // 2, "large-total": 2 * total}
    return replace(page, total=max(changed.get(fault, total), 0))


def garbage(response: dict[str, Any]) -> dict[str, Any]:
    """A response whose fields have other types."""
    return {key: "many" if isinstance(value, list) else [value] for key, value in response.items()}


def half_told(row: dict[str, Any], fault: str) -> dict[str, Any]:
    """The row of an app in an answer of GetItems with a fault of `DETAILS`."""
    told = {"id": row["id"], "appid": row["appid"]}
    number = fault.removeprefix("success-")
    return told if number == "none" else {**told, "success": int(number)}
