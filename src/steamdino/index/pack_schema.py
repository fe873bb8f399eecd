"""The members of a packed snapshot. The reader and the writer of packs share it; `pack_fields` checks each field.

=================  ==========================  ====================================================================
member             stored                      content
=================  ==========================  ====================================================================
``manifest.json``  or deflated                 one object: `MANIFEST_FIELDS`
``vectors.npy``    only                        float32, shape (games, dim), rows of length 1, ordered by id
``games.jsonl``    or deflated                 one object a line, ids rising: `GAME_FIELDS`
``absent.jsonl``   or deflated                 the games without a vector, ids rising: `ABSENT_FIELDS`
``whitening.npz``  only; may be missing        a zip of ``mean.npy`` and ``projection.npy``: floats, stored
=================  ==========================  ====================================================================

Nothing else may be there. Any later addition, however small, gets a new `FORMAT`: a reader knows the fields of all
formats up to its own, and refuses a newer one by its number instead of guessing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from steamdino.index import strict_json
from steamdino.index.manifest import MANIFEST, VECTORS, WHITENING
from steamdino.index.pack_fields import (
    ABSENT_FIELDS,
    FORMAT,
    GAME_FIELDS,
    LARGEST_COLUMNS,
    LONGEST_NAME,
    LONGEST_REASON,
    LONGEST_SOURCE,
    MANIFEST_FIELDS,
    Check,
    check_record,
    repaired_columns,
)
from steamdino.recipe import Recipe
from steamdino.wellformed import as_line, is_https, shown

GAMES, ABSENT = "games.jsonl", "absent.jsonl"
MEMBERS = {MANIFEST: True, VECTORS: False, GAMES: True, ABSENT: True, WHITENING: False}
"""The members, and whether each may be deflated. Large members must not be, so their size is their size in the file."""

SWELLING, HARMLESS = 16, 16 << 20
"""All deflated members together unpack to at most this many times the file's size, or to this many bytes."""

LARGEST_MANIFEST = 1 << 16
LARGEST_LINE = 3 * LARGEST_COLUMNS
"""Bytes; each quotation mark of the columns takes two bytes in a line."""


class NewerFormatError(ValueError):
    """A newer program wrote the file."""


@dataclass(frozen=True, slots=True)
class PackHeader:
    """The content of ``manifest.json``.

    Attributes:
        recipe: the recipe under which the vectors were computed.
        games: number of rows.
        created_at: when the snapshot was built: ISO 8601, UTC.
        precisions: how many vectors were computed in each inference precision.
    """

    recipe: Recipe
    games: int
    created_at: str
    precisions: dict[str, int]


def read_head(data: bytes) -> PackHeader:
    """Read ``manifest.json``.

    Raises:
        NewerFormatError: the file is of a newer format.
        ValueError: a field is missing or wrong.
        RecipeError: its recipe is not valid.
    """
    record = strict_json.loads(data)
    written = record.get("format") if isinstance(record, dict) else None
    if isinstance(written, int) and not isinstance(written, bool) and written > FORMAT:
        raise NewerFormatError(f"its format is {shown(written)}; upgrade steam-dino to read it")
    checked = check_record(record, MANIFEST_FIELDS)
    del checked["format"]  # there is only one
    return PackHeader(**checked)


def write_head(head: PackHeader) -> bytes:
    """Write ``manifest.json``.

    Raises:
        ValueError: a field is wrong.
    """
    record = {
        "format": FORMAT,
        "recipe": {"name": head.recipe.name, "identity": json.loads(head.recipe.json)},
        "games": head.games,
        "created_at": head.created_at,
        "precisions": head.precisions,
    }
    check_record(record, MANIFEST_FIELDS)
    return json.dumps(record, indent=2).encode() + b"\n"


def read_games(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Read ``games.jsonl``, game by game.

    Raises:
        ValueError: a line is wrong; the text says which and why.
    """
    return _read(GAMES, lines, GAME_FIELDS)


def read_absent(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Read ``absent.jsonl``, game by game.

    Raises:
        ValueError: a line is wrong; the text says which and why.
    """
    return _read(ABSENT, lines, ABSENT_FIELDS)


def write_games(records: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """Write ``games.jsonl``. What can be repaired without loss is, and everything is checked as a reader will.

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
                "columns": repaired_columns(record["columns"]),
            }
            for record in records
        ),
        GAME_FIELDS,
    )


def write_absent(records: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """Write ``absent.jsonl``, as `write_games` does.

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
                raise ValueError(f"it is cut off, or has more than {LARGEST_LINE:,} bytes")
            record = check_record(strict_json.loads(line), fields)
            if record["id"] <= before:
                raise ValueError(f"its id {shown(record['id'])} does not follow {shown(before)}")
        except ValueError as error:
            raise ValueError(f"{name}, line {number:,}: {error}") from None
        before = record["id"]
        yield record


def _write(name: str, records: Iterable[dict[str, Any]], fields: Mapping[str, Check]) -> Iterator[bytes]:
    for record in records:
        try:
            record = check_record(record, fields)
        except ValueError as error:
            raise ValueError(f"the game {shown(record['id'])}: {error}") from None
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        yield line
