"""The ids of pictures in a folder or a prefix: their path without the suffix, and with it where two would be the same.

An id that a picture was once given stays, whatever appears beside it later: vectors, decisions and links follow ids.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from steamdino.catalogue.ids import refusal
from steamdino.records import Entry, Problem
from steamdino.storage.location import Location

Found = Entry | Problem
Places = Mapping[str, Location | None]
"""Where the picture of each id was when it was last scanned."""


def settled(
    found: Sequence[Found], with_suffix: Places, places_of: Callable[[Collection[str]], Places]
) -> list[Found]:
    """Give each picture of a scan an id of its own.

    Args:
        found: in the order of the paths, each entry under its path without the suffix.
        with_suffix: what the source's ids with a suffix belong to.
        places_of: looks up what ids of the source belong to.

    Returns:
        the same, in the same order; a Problem where even the whole path is another picture's id.
    """
    own = [_whole(one) if _is_given(one, with_suffix) else one.id for one in found]
    sharing: dict[str, list[int]] = defaultdict(list)
    for number, one in enumerate(found):
        if isinstance(one, Entry):
            sharing[own[number] or ""].append(number)
    shared = {key: numbers for key, numbers in sharing.items() if len(numbers) > 1}
    before = places_of(shared) if shared else {}
    for key, numbers in shared.items():
        holder = next((number for number in numbers if _place(found[number]) == before.get(key)), numbers[0])
        for number in numbers:
            if number != holder:
                own[number] = _whole(found[number])
    taken: dict[str, str] = {}
    return [_under(one, key, taken) for one, key in zip(found, own, strict=True)]


def _under(one: Found, key: str | None, taken: dict[str, str]) -> Found:
    """An entry under the id that was found for it, which is then taken."""
    if isinstance(one, Problem) or key is None:
        return one
    if key in taken:
        return Problem(one.where, f"its id {key!r} is already used by {taken[key]}; rename one", key)
    if reason := refusal(key):
        return Problem(one.where, reason, key)
    taken[key] = one.where
    return one if key == one.id else replace(one, id=key)


def _is_given(one: Found, with_suffix: Places) -> bool:
    whole = _whole(one) if with_suffix and isinstance(one, Entry) else None
    return whole is not None and whole in with_suffix and with_suffix[whole] == _place(one)


def _whole(one: Found) -> str | None:
    """The id with the suffix."""
    return one.id if isinstance(one, Problem) else one.id + PurePosixPath(one.where).suffix


def _place(one: Found) -> Location | None:
    return None if isinstance(one, Problem) else one.location
