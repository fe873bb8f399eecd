"""Legacy formats of the steam-DINO projects: ids of matches as JSON, and a folder of arrays.

::

    app_ids.json              ids, in the order of the arrays' rows: rising numbers, or texts where one is no number
    app_ids.npy               the same: uint32 (uint64 where that is too small), or texts
    app_names.json            their names
    frozen_app_ids.txt        an id on each line
    label_database.<recipe>.npy   float16, (games, dim): the vectors
    matches_faiss.npy         (games, 1 + k): each row begins with its own number, then its matches', best first;
                              uint16, or uint32 where there are more than 65,536 games

Each row of matches begins with the game itself. In the original it was the first match of the search, so of two games
with the same picture either could come first; here it is always the game itself.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import dtype_to_descr, write_array_header_1_0
from numpy.typing import NDArray

from steamdino.analysis.neighbourhood import Neighbourhood
from steamdino.errors import OutputError
from steamdino.present.export.json_lists import json_list
from steamdino.storage.atomic import make_folder
from steamdino.storage.output import writing

MATCHES = "matches_faiss.npy"
BLOCK = 4096
"""Rows that are written at a time."""


def similar_json(lists: Iterable[tuple[str, Sequence[str]]], *, numbers: bool) -> str:
    """``{id: [id, ...]}`` as one text, four spaces deep, as in steam-DINOv2's similar_to_top_100.*.json.

    Args:
        lists: each query's id, and what its list holds.
        numbers: write the ids in the lists as numbers.
    """
    known: dict[str, str] = {}

    def written(key: str) -> str:
        if key not in known:
            known[key] = key if numbers else json.dumps(key)
        return known[key]

    # The library's own indentation writes a million ids in ten times the time that their search takes.
    parts = [
        f"    {json.dumps(key)}: [\n        " + ",\n        ".join(map(written, found)) + "\n    ]"
        if found
        else f"    {json.dumps(key)}: []"
        for key, found in lists
    ]
    return "{\n" + ",\n".join(parts) + "\n}\n" if parts else "{}\n"


def are_numbers(ids: Iterable[str]) -> bool:
    """Return whether all ids are integers like Steam's, so that they can be written as numbers."""
    return all(re.fullmatch(r"0|[1-9]\d{0,18}", key, re.ASCII) for key in ids)


def write_arrays(folder: Path, table: Neighbourhood) -> list[Path]:
    """Write the arrays of all games of a snapshot; return the files.

    Args:
        folder: where; made if it is not there.
        table: with all rows of the snapshot as queries, in their order.

    Raises:
        OutputError: a file cannot be written.
    """
    snapshot = table.snapshot
    ids, numbers = snapshot.ids, are_numbers(snapshot.ids)
    order = np.array(
        sorted(range(len(ids)), key=lambda row: int(ids[row])) if numbers else range(len(ids)), np.intp
    )
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    keys: list[Any] = [int(ids[row]) if numbers else ids[row] for row in order]
    small = np.uint16 if len(ids) <= 1 << 16 else np.uint32
    label = re.sub(r"[^A-Za-z0-9._-]", "-", snapshot.recipe.name)[:100]

    def matches(block: slice) -> NDArray[Any]:
        rows = order[block]
        return np.column_stack([place[rows], place[table.rows[rows]]]).astype(small)

    def vectors(block: slice) -> NDArray[Any]:
        return snapshot.vectors[order[block]].astype(np.float16)

    blocks = [slice(start, start + BLOCK) for start in range(0, max(1, len(order)), BLOCK)]
    names = (game.name for block in blocks for game in snapshot.games(order[block]))
    files: dict[str, Iterable[bytes]] = {
        "app_ids.json": _json(keys),
        "app_ids.npy": _npy(_array(keys, numbers)),
        "app_names.json": _json(names),
        "frozen_app_ids.txt": (f"{key}\n".encode() for key in keys),
        f"label_database.{label}.npy": _npy_blocks(
            map(vectors, blocks), (len(order), snapshot.vectors.shape[1])
        ),
        MATCHES: _npy_blocks(map(matches, blocks), (len(order), 1 + table.rows.shape[1])),
    }
    try:
        make_folder(folder)
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be written to: {'it is a file' if folder.is_file() else error.strerror};"
            " name another folder with -o"
        ) from None
    for name, content in files.items():
        with writing(folder / name) as file:
            file.writelines(content)
    return [folder / name for name in files]


def _json(values: Iterable[Any]) -> Iterator[bytes]:
    for number, text in enumerate(json_list(values, ascii_only=True)):
        yield f"\n{text}".encode() if number else text.encode()


def _npy(array: NDArray[Any]) -> Iterator[bytes]:
    return _npy_blocks(iter([array]), array.shape)


def _npy_blocks(blocks: Iterator[NDArray[Any]], shape: tuple[int, ...]) -> Iterator[bytes]:
    """Yield the file of an array that consists of blocks of rows; at least one."""
    for number, block in enumerate(blocks):
        if not number:
            header = io.BytesIO()
            facts = {"descr": dtype_to_descr(block.dtype), "fortran_order": False, "shape": shape}
            write_array_header_1_0(header, facts)
            yield header.getvalue()
        yield np.ascontiguousarray(block).tobytes()


def _array(keys: Sequence[Any], numbers: bool) -> NDArray[Any]:
    if not numbers:
        return np.array(keys, dtype=str)
    return np.array(keys, np.uint32 if max(keys, default=0) < 1 << 32 else np.uint64)
