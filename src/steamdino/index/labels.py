"""Reads tags and genres in the forms that files about games write them.

===========================================================  ===================================================
``["Action", "RPG"]``                                        a list
``"Action, RPG"``, ``"Action;RPG"``, ``"Action|RPG"``        a text
``{"Action": 5426, "RPG": 87}``                              SteamSpy's votes for each tag; 0 or null means none
``[{"id": "1", "description": "Action"}]``                   Steam's appdetails
``[{"tagid": 19, "name": "Action"}]``                        Steam's curators
``[["Action", 5426]]``                                       a map in Parquet
===========================================================  ===================================================

In a table cell each of them may be written as text (see `literals`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from steamdino.index.literals import unpacked

COLUMNS = ("tags", "genres", "genre", "steamspy_tags")
"""The columns that may hold labels."""


def read(value: Any) -> Iterator[str]:
    """Yield the labels in a value, as they are written there."""
    if isinstance(value, str):
        inner = unpacked(value)
        if inner is value:
            yield from (part.strip() for part in re.split(r"[,;|]", value) if part.strip())
        else:
            yield from read(inner)
    elif isinstance(value, dict):
        name = _name(value)
        if name is not None:
            yield from _one(name)
        else:
            for label, votes in value.items():
                if isinstance(votes, int | float) and votes > 0:
                    yield from _one(label)
    elif isinstance(value, list):
        for one in value:
            if isinstance(one, dict):
                yield from _one(_name(one))
            else:
                yield from _one(one[0] if isinstance(one, list) and len(one) == 2 else one)


def _name(record: dict[Any, Any]) -> Any:
    return next((record[key] for key in ("description", "name") if isinstance(record.get(key), str)), None)


def _one(label: Any) -> Iterator[str]:
    if isinstance(label, str) and label.strip():
        yield label.strip()
