"""Reads lists and objects that are written as text in a table cell."""

from __future__ import annotations

import json
import re
from typing import Any

LONGEST = 20_000
"""Maximum number of characters of a Python literal; JSON may be longer."""

DEEPEST = 8
"""Maximum nesting of brackets in a Python literal."""

# Only strings, numbers, constants and brackets reach Python's parser, which deep expressions can crash.
_LITERAL = re.compile(r"(?:'[^'\\\n]*'|\"[^\"\\\n]*\"|[0-9]+(?:\.[0-9]+)?|True|False|None|[][{}():, ])*")


def unpacked(value: Any) -> Any:
    """Parse a text that is a list or an object, in JSON or as a Python literal; return any other value unchanged."""
    if not isinstance(value, str) or value.strip()[:1] not in ("[", "{"):
        return value
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        found = _of_python(value.strip())
    return found if isinstance(found, list | dict) else value


def _of_python(text: str) -> Any:
    """Parse what pandas writes for a list or a dictionary: ``{'coming_soon': False, 'date': '21 Aug, 2012'}``."""
    if len(text) > LONGEST or not _LITERAL.fullmatch(text):
        return None
    depth = deepest = 0
    for character in text:
        depth += (character in "[{(") - (character in "]})")
        deepest = max(deepest, depth)
    if deepest > DEEPEST:
        return None
    import ast

    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
