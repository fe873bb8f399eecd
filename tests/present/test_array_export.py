"""Arrays of all games are written in blocks, byte for byte as NumPy and json write them as a whole."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from steamdino import Snapshot
from steamdino.analysis.neighbourhood import Neighbourhood
from steamdino.present.export import legacy_export
from steamdino.records import EVERYTHING


def saved(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


@pytest.mark.parametrize("block", [1, 7, 4096])
def test_blocks_make_the_files_that_numpy_and_json_make(
    block: int, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(legacy_export, "BLOCK", block)
    snapshot = Snapshot.open(built)
    table = Neighbourhood.of(snapshot, 5, only=EVERYTHING)
    legacy_export.write_arrays(tmp_path, table)
    rows = np.arange(len(snapshot))
    expected = {
        "app_ids.json": json.dumps(snapshot.ids, indent=2).encode(),
        "app_ids.npy": saved(np.array(snapshot.ids)),
        "app_names.json": json.dumps([game.name for game in snapshot.games(rows)], indent=2).encode(),
        "frozen_app_ids.txt": "".join(f"{key}\n" for key in snapshot.ids).encode(),
        "label_database.bundled.npy": saved(snapshot.vectors.astype(np.float16)),
        "matches_faiss.npy": saved(np.column_stack([rows, table.rows]).astype(np.uint16)),
    }
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == expected
