"""The fields of a packed snapshot: the type, form and bounds of each. `pack_schema` reads and writes records by them.

A check takes a field's value and returns it, or raises a ValueError whose text continues the field's name: "is 'x'; it
must be ...".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from steamdino.index import strict_json
from steamdino.index.snapshot_reader import reason_without_path
from steamdino.recipe import Recipe
from steamdino.wellformed import LONGEST_ADDRESS, is_https, is_line, is_sha256, shown

FORMAT = 1

LARGEST_COLUMNS = 1 << 18
"""Bytes of a game's columns."""

LONGEST_ID, LONGEST_NAME, LONGEST_SOURCE, LONGEST_REASON, LONGEST_RECIPE = 500, 1000, 300, 1000, 200
"""Characters."""

MOST_PIXELS = 1 << 20
"""Pixels of the model's input. A recipe from a stranger can make this machine compute no more for one picture."""

LARGEST_COUNT = 1 << 48

Check = Callable[[Any], Any]


def check_record(record: Any, fields: Mapping[str, Check]) -> dict[str, Any]:
    """Check that a value is an object with exactly these fields; return what their checks return.

    Raises:
        ValueError: it is not; the text names the field.
    """
    if not isinstance(record, dict):
        raise ValueError(f"it is {shown(record)}, not an object")
    for key in sorted(record.keys() ^ fields.keys()):
        if key not in record:
            raise ValueError(f"{key} is missing")
        raise ValueError(f"the field {shown(key)} is unknown")
    checked = {}
    for key, check in fields.items():
        try:
            checked[key] = check(record[key])
        except ValueError as error:
            raise ValueError(f"{key} {error}") from None
    return checked


def _line(longest: int, *, shortest: int = 0) -> Check:
    def check(value: Any) -> str:
        if not is_line(value, longest) or len(value) < shortest:
            raise ValueError(
                f"is {shown(value)}; it must be one line of {shortest} to {longest:,} characters, none of them a"
                " control character"
            )
        return value

    return check


def _id(value: Any) -> str:
    text: str = _line(LONGEST_ID, shortest=1)(value)
    if text != text.strip():
        raise ValueError(f"is {shown(value)}; it must not begin or end with white space")
    return text


def _reason(value: Any) -> str:
    return reason_without_path(_line(LONGEST_REASON)(value))


def _sha256(value: Any) -> str:
    if not is_sha256(value):
        raise ValueError(f"is {shown(value)}; it must be a sha256 in lower-case hex")
    return value


def _address(value: Any) -> str | None:
    if value is not None and not is_https(value):
        raise ValueError(
            f"is {shown(value)}; it must be null, or an https:// address of at most {LONGEST_ADDRESS:,} characters"
        )
    return value


def _empty(value: Any) -> str:
    if value != "":
        raise ValueError(f"is {shown(value)}; a packed snapshot names no files")
    return ""


def _columns(value: Any) -> str:
    if not isinstance(value, str) or len(value.encode("utf-8", "surrogatepass")) > LARGEST_COLUMNS:
        raise ValueError(
            f"is {shown(value)}; it must be an object as JSON of at most {LARGEST_COLUMNS:,} bytes"
        )
    if value != "{}" and not isinstance(strict_json.loads(value), dict):
        raise ValueError(f"is {shown(value)}; it must be an object")
    return value


def _whole(lowest: int, largest: int = LARGEST_COUNT) -> Check:
    def check(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= largest:
            raise ValueError(f"is {shown(value)}; it must be a whole number from {lowest} to {largest:,}")
        return value

    return check


def _time(value: Any) -> str:
    form = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|\+00:00)"
    if not isinstance(value, str) or not re.fullmatch(form, value, re.ASCII):
        raise ValueError(f"is {shown(value)}; it must be a time as in 2025-05-17T12:00:00+00:00")
    datetime.fromisoformat(value)
    return value


def _precisions(value: Any) -> dict[str, int]:
    if not isinstance(value, dict) or len(value) > 8:
        raise ValueError(f"is {shown(value)}; it must be an object of at most 8 counts")
    for key, count in value.items():
        if not re.fullmatch(r"[a-z0-9]{1,16}", key, re.ASCII):
            raise ValueError(f"has the key {shown(key)}; it must be the name of a precision")
        _whole(0)(count)
    return value


def _recipe(value: Any) -> Recipe:
    record = check_record(value, {"name": _line(LONGEST_RECIPE), "identity": lambda identity: identity})
    recipe = Recipe.from_json(json.dumps(record["identity"]), record["name"])
    if not is_line(recipe.model, LONGEST_RECIPE):
        raise ValueError(f"has the model {shown(recipe.model)}; it must be one line")
    transform = recipe.transform
    if transform.width * transform.height > MOST_PIXELS:
        raise ValueError(
            f"is for pictures of {transform.width}x{transform.height}; at most {MOST_PIXELS:,} pixels are"
        )
    return recipe


def repaired_columns(columns: str) -> str:
    """Make columns acceptable to a reader, so that one game's table cannot keep a whole gallery from being packed.

    NaN, Infinity, numbers that are too long and nesting that is too deep become null. NUL and lone surrogates are
    removed from texts. Of a repeated key the last value is kept. What cannot be repaired is returned unchanged.
    """
    try:
        return _columns(columns)
    except ValueError:
        pass

    def repaired(value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return strict_json.UNSTORABLE.sub("", value)
        if isinstance(value, dict | list) and depth == strict_json.DEEPEST:
            return None
        if isinstance(value, dict):
            return {
                strict_json.UNSTORABLE.sub("", key): repaired(one, depth + 1) for key, one in value.items()
            }
        return [repaired(one, depth + 1) for one in value] if isinstance(value, list) else value

    def number(text: str) -> int | float | None:
        try:
            read: int | float | None = strict_json.loads(text)
        except ValueError:
            return None
        return read

    try:
        known = json.loads(columns, parse_constant=lambda _: None, parse_float=number, parse_int=number)
        return json.dumps(repaired(known, 0), ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        return columns


MANIFEST_FIELDS: Mapping[str, Check] = {
    "format": _whole(1, FORMAT),
    "recipe": _recipe,
    "games": _whole(0),
    "created_at": _time,
    "precisions": _precisions,
}
GAME_FIELDS: Mapping[str, Check] = {
    "id": _id,
    "name": _line(LONGEST_NAME),
    "source": _line(LONGEST_SOURCE),
    "url": _address,
    "picture": _empty,  # a path means nothing on another machine
    "sha256": _sha256,
    "columns": _columns,
}
ABSENT_FIELDS: Mapping[str, Check] = {"id": _id, "name": _line(LONGEST_NAME), "reason": _reason}
