"""JSON from a stranger: what Python's reader lets through and later stages stumble over is refused.

Keys that come twice, NaN and Infinity (also as ``1e999``), whole numbers that no other program reads, halves of
characters and NUL (SQLite takes neither), and nesting that exhausts the stack of whoever walks through it.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from steamdino.wellformed import shown

DEEPEST = 32
"""Objects and lists inside each other."""

MOST_DIGITS = 300
"""Of a number: a float takes any whole number of so many, and more of a fraction mean nothing."""

UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""Characters of a text that SQLite does not take."""


def loads(data: bytes | str) -> Any:
    """Reads JSON (UTF-8).

    Raises:
        ValueError: it is none, or holds what is refused; one line.
    """
    try:
        text = data.decode() if isinstance(data, bytes) else data
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_float=_float,
            parse_int=_whole,
        )
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON ({error.msg} at character {error.pos:,})") from None
    except RecursionError:
        raise ValueError(f"it is nested more than {DEEPEST} deep") from None
    _check(value)
    return value


def _check(value: Any) -> None:
    waiting = [(value, 0)]
    while waiting:
        one, depth = waiting.pop()
        if isinstance(one, str):
            if UNSTORABLE.search(one):
                raise ValueError(f"{shown(one)} holds a NUL or half a character")
        elif isinstance(one, dict | list):
            if depth == DEEPEST:
                raise ValueError(f"it is nested more than {DEEPEST} deep")
            inner = [*one, *one.values()] if isinstance(one, dict) else one
            waiting.extend((each, depth + 1) for each in inner)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {shown(twice)} comes twice")
    return made


def _constant(written: str) -> Any:
    raise ValueError(f"{written} is no number of JSON")


def _float(written: str) -> float:
    if len(written) > MOST_DIGITS:
        raise ValueError(f"a number has {len(written):,} digits; at most {MOST_DIGITS} are read")
    value = float(written)
    if not math.isfinite(value):
        raise ValueError(f"{shown(written)} is too large a number")
    return value


def _whole(written: str) -> int:
    if len(written) > MOST_DIGITS:
        raise ValueError(f"a number has {len(written):,} digits; at most {MOST_DIGITS} are read")
    return int(written)
