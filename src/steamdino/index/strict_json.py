"""Reads JSON from strangers, and refuses what Python's parser accepts but later stages cannot handle.

That is: repeated keys, NaN and Infinity (also as ``1e999``), integers too long for other programs, lone surrogates and
NUL, which SQLite does not store, and nesting that exhausts the stack of recursive code.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from steamdino.wellformed import shown

DEEPEST = 32
"""Maximum nesting of objects and lists."""

MOST_DIGITS = 300
"""Digits of a number. A float can hold any integer of this length, and further digits of a fraction add nothing."""

UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""Characters that SQLite does not store: NUL and lone surrogates."""


def loads(data: bytes | str) -> Any:
    """Parse JSON (UTF-8).

    Raises:
        ValueError: it is not JSON, or holds something that is refused; the text is one line.
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
                raise ValueError(f"{shown(one)} holds a NUL or a lone surrogate")
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
        raise ValueError(f"the key {shown(twice)} is repeated")
    return made


def _constant(written: str) -> Any:
    raise ValueError(f"{written} is not a JSON number")


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
