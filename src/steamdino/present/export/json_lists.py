"""JSON lists that are written entry by entry, since there may be one for each game."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any


def json_list(values: Iterable[Any], *, ascii_only: bool = False) -> Iterator[str]:
    """Yield what `json.dumps` makes of a list with an indent of 2, without its line breaks between entries.

    Args:
        values: the entries; what JSON does not know is written as a text.
        ascii_only: escape all other characters.
    """
    before = ""
    for value in values:
        if before:
            yield f"{before},"
        else:
            yield "["
        text = json.dumps(value, ensure_ascii=ascii_only, indent=2, default=str)
        before = "  " + text.replace("\n", "\n  ")
    yield f"{before}\n]" if before else "[]"
