"""What a packed snapshot holds: its members, and each field's type, form and bounds. Reader and writer use it alike.

=================  ==========================  ====================================================================
member             stored                      content
=================  ==========================  ====================================================================
``manifest.json``  or deflated                 one object: `MANIFEST_FIELDS`
``vectors.npy``    only                        float32, shape (games, dim), rows of length 1, ordered by id
``games.jsonl``    or deflated                 one object a line, ids rising: `GAME_FIELDS`
``absent.jsonl``   or deflated                 the games without a vector, ids rising: `ABSENT_FIELDS`
``whitening.npz``  only; may be missing        a zip of ``mean.npy`` and ``projection.npy``: floats, stored
=================  ==========================  ====================================================================

Nothing else may be there. Whatever is added later, however small, gets a new `FORMAT`: a reader knows the fields of all
formats up to its own, and refuses what is newer by its number instead of guessing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from steamdino.index import strict_json
from steamdino.index.manifest import MANIFEST, VECTORS, WHITENING
from steamdino.index.reader import reason_without_path
from steamdino.recipe import Recipe
from steamdino.wellformed import (
    LONGEST_ADDRESS,
    as_line,
    is_https,
    is_line,
    is_sha256,
    shown,
)

FORMAT = 1

GAMES, ABSENT = "games.jsonl", "absent.jsonl"
MEMBERS = {MANIFEST: True, VECTORS: False, GAMES: True, ABSENT: True, WHITENING: False}
"""The members, and whether each may be deflated. Whatever is large must not: its size is then that in the file."""

SWELLING, HARMLESS = 16, 16 << 20
"""Deflated members together unpack to at most so many times the file's size, or to so many bytes."""

LARGEST_MANIFEST = 1 << 16
LARGEST_COLUMNS = 1 << 18
LARGEST_LINE = 3 * LARGEST_COLUMNS
"""Bytes; in a line, each quotation mark of the columns takes two."""

LONGEST_ID, LONGEST_NAME, LONGEST_SOURCE, LONGEST_REASON, LONGEST_RECIPE = 500, 1000, 300, 1000, 200
"""Characters."""

MOST_PIXELS = 1 << 20
"""Of the model's input: what a stranger's recipe may make this machine compute for one picture."""

LARGEST_COUNT = 1 << 48

Check = Callable[[Any], Any]
"""Takes a field's value; returns it, or raises a ValueError that goes on after the field's name."""


class NewerFormatError(ValueError):
    """A newer program wrote the file."""


@dataclass(frozen=True, slots=True)
class PackHeader:
    """What ``manifest.json`` says.

    Attributes:
        recipe: whose space the vectors live in.
        games: how many rows.
        created_at: when the snapshot was made: ISO 8601, UTC.
        precisions: how many vectors were made in each.
    """

    recipe: Recipe
    games: int
    created_at: str
    precisions: dict[str, int]


def read_head(data: bytes) -> PackHeader:
    """Reads ``manifest.json``.

    Raises:
        NewerFormatError: the file is of a newer format.
        ValueError: it is not what it should be.
        RecipeError: nor is its recipe.
    """
    record = strict_json.loads(data)
    written = record.get("format") if isinstance(record, dict) else None
    if isinstance(written, int) and not isinstance(written, bool) and written > FORMAT:
        raise NewerFormatError(f"its format is {shown(written)}; upgrade steam-dino to read it")
    checked = _record(record, MANIFEST_FIELDS)
    del checked["format"]  # there is but one
    return PackHeader(**checked)


def write_head(head: PackHeader) -> bytes:
    """Writes ``manifest.json``.

    Raises:
        ValueError: a field is not what it should be.
    """
    record = {
        "format": FORMAT,
        "recipe": {"name": head.recipe.name, "identity": json.loads(head.recipe.json)},
        "games": head.games,
        "created_at": head.created_at,
        "precisions": head.precisions,
    }
    _record(record, MANIFEST_FIELDS)
    return json.dumps(record, indent=2).encode() + b"\n"


def read_games(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Reads ``games.jsonl``, game by game.

    Raises:
        ValueError: a line is not what it should be.
    """
    return _read(GAMES, lines, GAME_FIELDS)


def read_absent(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Reads ``absent.jsonl``, game by game.

    Raises:
        ValueError: a line is not what it should be.
    """
    return _read(ABSENT, lines, ABSENT_FIELDS)


def write_games(records: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """Writes ``games.jsonl``: what can be repaired without loss is, and all is checked as a reader will.

    Raises:
        ValueError: a game cannot be packed.
    """
    return _write(
        GAMES,
        (
            {
                **record,
                "name": as_line(record["name"], LONGEST_NAME),
                "source": as_line(record["source"], LONGEST_SOURCE),
                "url": record["url"] if is_https(record["url"]) else None,
                "picture": "",
                "columns": _packable(record["columns"]),
            }
            for record in records
        ),
        GAME_FIELDS,
    )


def write_absent(records: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """Writes ``absent.jsonl``, as `write_games` does.

    Raises:
        ValueError: a game cannot be packed.
    """
    return _write(
        ABSENT,
        (
            {
                **record,
                "name": as_line(record["name"], LONGEST_NAME),
                "reason": as_line(record["reason"], LONGEST_REASON),
            }
            for record in records
        ),
        ABSENT_FIELDS,
    )


def _read(name: str, lines: Iterable[bytes], fields: Mapping[str, Check]) -> Iterator[dict[str, Any]]:
    before = ""
    for number, line in enumerate(lines, 1):
        try:
            if not line.endswith(b"\n"):
                raise ValueError(f"it breaks off, or has more than {LARGEST_LINE:,} bytes")
            record = _record(strict_json.loads(line), fields)
            if record["id"] <= before:
                raise ValueError(f"its id {shown(record['id'])} does not follow {shown(before)}")
        except ValueError as error:
            raise ValueError(f"{name}, line {number:,}: {error}") from None
        before = record["id"]
        yield record


def _write(name: str, records: Iterable[dict[str, Any]], fields: Mapping[str, Check]) -> Iterator[bytes]:
    for record in records:
        try:
            record = _record(record, fields)
        except ValueError as error:
            raise ValueError(f"the game {shown(record['id'])}: {error}") from None
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        yield line


def _record(record: Any, fields: Mapping[str, Check]) -> dict[str, Any]:
    """Checks that a value is an object with exactly these fields; returns what their checks return."""
    if not isinstance(record, dict):
        raise ValueError(f"it is {shown(record)} and no object")
    for key in sorted(record.keys() ^ fields.keys()):
        if key not in record:
            raise ValueError(f"{key} is missing")
        raise ValueError(f"the field {shown(key)} does not belong there")
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
        raise ValueError(f"is {shown(value)}; it must not have white space around it")
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
    record = _record(value, {"name": _line(LONGEST_RECIPE), "identity": lambda identity: identity})
    recipe = Recipe.from_json(json.dumps(record["identity"]), record["name"])
    if not is_line(recipe.model, LONGEST_RECIPE):
        raise ValueError(f"has the model {shown(recipe.model)}; it must be one line")
    transform = recipe.transform
    if transform.width * transform.height > MOST_PIXELS:
        raise ValueError(
            f"is for pictures of {transform.width}x{transform.height}; at most {MOST_PIXELS:,} pixels are"
        )
    return recipe


def _packable(columns: str) -> str:
    """Columns as a reader takes them: what one game's table says must not keep a whole gallery from being packed.

    NaN, Infinity, numbers that are too long and nesting that is too deep become null, NUL and halves of characters
    leave texts, and of a key that comes twice the last value stays. What cannot be repaired is returned as it is.
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
    "picture": _empty,  # where it lies means nothing elsewhere
    "sha256": _sha256,
    "columns": _columns,
}
ABSENT_FIELDS: Mapping[str, Check] = {"id": _id, "name": _line(LONGEST_NAME), "reason": _reason}
