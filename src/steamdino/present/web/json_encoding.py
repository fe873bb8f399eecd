"""Records as JSON text."""

from __future__ import annotations

import json
from typing import Any

import orjson


def encode(record: Any) -> bytes:
    """Return a record as compact JSON, UTF-8; numbers that JSON lacks (NaN, infinity) become null.

    Raises:
        TypeError: it holds something that JSON has no form for.
        UnicodeEncodeError: a text holds a lone surrogate.
    """
    try:
        return orjson.dumps(record)
    except TypeError:  # integers of more than 64 bits, NumPy's floats, and the errors above
        return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
