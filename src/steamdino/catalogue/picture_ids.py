"""The ids of pictures in a folder or a prefix: their path without the suffix, and with it where two would be the same.

An id that a picture was once given stays, whatever appears beside it later: vectors, decisions and links follow ids.
"""

from __future__ import annotations

from collections import Counter
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
    found: Sequence[Found],
    with_suffix: Places,
    places_of: Callable[[Collection[str]], Places],
    *,
    by_name: bool = False,
) -> list[Found]:
    """Give each picture of a scan an id of its own.

    Args:
        found: in the order of the paths, each entry under its path without the suffix.
        with_suffix: what the source's ids with a suffix belong to.
        places_of: looks up what ids of the source belong to.
        by_name: the entries are under their file names alone, which a suffix does not join: an appID has none.

    Returns:
        the same, in the same order; a Problem where the id, or even the whole path, is another picture's id.
    """
    entries = {number: one for number, one in enumerate(found) if isinstance(one, Entry)}
    own = {
        number: whole if with_suffix.get(whole := _whole(one)) == one.location else one.id
        for number, one in entries.items()
    }
    shared = {key for key, count in Counter(own.values()).items() if count > 1}
    if shared and not by_name:
        before = places_of(shared)
        holders = dict.fromkeys(shared, -1)
        for number, key in reversed(own.items()):  # the first one, unless the gallery knows another by the id
            if key in shared and (holders[key] < 0 or before.get(key) != entries[holders[key]].location):
                holders[key] = number
        for number, key in own.items():
            if key in shared and number != holders[key]:
                own[number] = _whole(entries[number])
    taken: dict[str, str] = {}
    return [
        _under(one, own[number], taken) if isinstance(one, Entry) else one for number, one in enumerate(found)
    ]


def _under(one: Entry, key: str, taken: dict[str, str]) -> Found:
    """An entry under the id that was found for it, which is then taken."""
    if key in taken:
        return Problem(one.where, f"its id {key!r} is already used by {taken[key]}; rename one", key)
    if reason := refusal(key):
        return Problem(one.where, reason, key)
    taken[key] = one.where
    return one if key == one.id else replace(one, id=key)


def _whole(one: Entry) -> str:
    """The id with the suffix."""
    return one.id + PurePosixPath(one.where).suffix
