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

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steamdino.analysis.neighbourhood import Neighbourhood
from steamdino.errors import OutputError
from steamdino.storage.atomic import make_folder
from steamdino.storage.output import writing

MATCHES = "matches_faiss.npy"


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
    games = snapshot.games(order)
    small = np.uint16 if len(ids) <= 1 << 16 else np.uint32
    matches = np.column_stack([np.arange(len(order)), place[table.rows[order]]]).astype(small)
    label = re.sub(r"[^A-Za-z0-9._-]", "-", snapshot.recipe.name)[:100]
    files: dict[str, Any] = {
        "app_ids.json": json.dumps(keys, indent=2),
        "app_ids.npy": _array(keys, numbers),
        "app_names.json": json.dumps([game.name for game in games], indent=2),
        "frozen_app_ids.txt": "".join(f"{key}\n" for key in keys),
        f"label_database.{label}.npy": snapshot.vectors[order].astype(np.float16),
        MATCHES: matches,
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
            if isinstance(content, str):
                file.write(content.encode())
            else:
                np.save(file, content, allow_pickle=False)
    return [folder / name for name in files]


def _array(keys: Sequence[Any], numbers: bool) -> NDArray[Any]:
    if not numbers:
        return np.array(keys, dtype=str)
    return np.array(keys, np.uint32 if max(keys, default=0) < 1 << 32 else np.uint64)
