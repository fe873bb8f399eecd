"""A snapshot as one file that can be given away, and that is safe to open from a stranger.

A zip with ``manifest.json``, ``vectors.npy``, ``games.jsonl``, ``absent.jsonl`` and, where one was learned,
``whitening.npz``: text and numbers only. Names are
indexed anew when it is opened, so that no database of a stranger is ever read.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import weakref
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np

from steamdino.errors import SnapshotError
from steamdino.gallery.vectors import Absent, Row
from steamdino.index.snapshot import MANIFEST, VECTORS, WHITENING, SnapshotReader
from steamdino.index.write import write
from steamdino.recipe import Recipe
from steamdino.storage.output import writing

Made = TypeVar("Made")

FORMAT = 1
ROWS, ABSENT = "games.jsonl", "absent.jsonl"
LARGEST_LINE, MOST_TEXT = 1 << 22, 1 << 30  # bytes that a stranger may make us read


def pack(reader: SnapshotReader, path: Path) -> None:
    """Writes an open snapshot into one file, replacing an old one only when the new one is whole.

    Paths of pictures stay behind: they mean nothing elsewhere, and tell about this machine.

    Raises:
        OutputError: the file cannot be written.
    """
    manifest = reader.manifest
    head = {
        "format": FORMAT,
        "recipe": {"name": manifest.recipe.name, "identity": json.loads(manifest.recipe.json)},
        "games": manifest.games,
        "created_at": manifest.created_at,
        "precisions": manifest.precisions,
    }
    with writing(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(MANIFEST, json.dumps(head, indent=2))
        archive.write(reader.folder / VECTORS, VECTORS, zipfile.ZIP_STORED)
        if reader.whitening is not None:
            archive.write(reader.whitening, WHITENING, zipfile.ZIP_STORED)
        for name, records in ((ROWS, reader.every_row()), (ABSENT, reader.every_absent())):
            with archive.open(name, "w") as lines:
                lines.writelines(map(_line, records))


def open_pack(path: Path) -> SnapshotReader:
    """Opens a packed snapshot: checks it, and indexes it in a temporary folder that lives as long as the reader.

    Raises:
        SnapshotError: it is no packed snapshot, or damaged.
    """
    folder = tempfile.TemporaryDirectory(prefix="steam-dino-")
    try:
        with zipfile.ZipFile(path) as archive:
            head = json.loads(_bounded(archive, MANIFEST, LARGEST_LINE))
            if head["format"] > FORMAT:
                raise SnapshotError(f"{path}: its format is {head['format']}; upgrade steam-dino to read it")
            recipe = Recipe.from_json(json.dumps(head["recipe"]["identity"]), str(head["recipe"]["name"]))
            rows = _lines(archive, ROWS, lambda record: Row(**_texts(record, nullable=("url",))))
            absent = _lines(archive, ABSENT, lambda record: Absent(**_texts(record)))
            with archive.open(VECTORS) as file:
                vectors = _vectors(file, (len(rows), recipe.dim))
            whitening = _bounded(archive, WHITENING, MOST_TEXT) if WHITENING in archive.namelist() else None
            if whitening is not None and hashlib.sha256(whitening).hexdigest() != recipe.projection:
                raise ValueError(f"{WHITENING} is not the one that the recipe names")
        snapshot = write(
            Path(folder.name, "snapshots", recipe.hash),
            recipe,
            0,
            rows,
            absent,
            vectors,
            {},
            whitening=whitening,
        )
        reader = SnapshotReader(snapshot)
    except SnapshotError:
        folder.cleanup()
        raise
    except OSError as error:
        folder.cleanup()
        raise SnapshotError(f"{path} cannot be read: {error.strerror or error}") from None
    except Exception as error:  # whatever a stranger's bytes make the parsers raise
        folder.cleanup()
        raise SnapshotError(f"{path} is not a packed snapshot, or damaged ({_first_line(error)})") from None
    weakref.finalize(reader, folder.cleanup)
    return reader


def _line(record: dict[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _bounded(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    with archive.open(name) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise ValueError(f"{name} is too large")
    return data


def _lines(archive: zipfile.ZipFile, name: str, make: Callable[[dict[str, Any]], Made]) -> list[Made]:
    made = []
    total = 0
    with archive.open(name) as file:
        while line := file.readline(LARGEST_LINE):
            total += len(line)
            if total > MOST_TEXT or not line.endswith(b"\n"):
                raise ValueError(f"{name} is too large, or breaks off")
            made.append(make(json.loads(line)))
    return made


def _texts(record: dict[str, Any], nullable: tuple[str, ...] = ()) -> dict[str, Any]:
    for key, value in record.items():
        if not (isinstance(value, str) or (value is None and key in nullable)):
            raise ValueError(f"{key} is {value!r}")
    if not record["id"].isprintable() or not record["id"]:
        raise ValueError(f"id is {record['id']!r}")
    if "columns" in record and not isinstance(json.loads(record["columns"]), dict):
        raise ValueError("columns is not an object")
    url = record.get("url")
    if url is not None and not url.startswith("https://"):
        raise ValueError(f"url is {url!r}")  # it will be a link in somebody's page
    return record


def _vectors(file: IO[bytes], shape: tuple[int, int]) -> np.ndarray:
    # The header is read by NumPy's own parser, which evaluates no code, before anything of that size is allocated.
    version = np.lib.format.read_magic(file)
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    stated, fortran, dtype = header(file)
    if (stated, fortran, dtype) != (shape, False, np.dtype(np.float32)):
        raise ValueError(f"vectors.npy is {stated} {dtype}, not {shape} float32")
    rows = np.empty(shape, "<f4")
    data = memoryview(rows.view(np.uint8).reshape(-1))  # type: ignore[arg-type]
    done = 0
    while done < len(data):
        part = file.read(min(1 << 20, len(data) - done))
        if not part:
            raise ValueError("vectors.npy breaks off")
        data[done : done + len(part)] = part
        done += len(part)
    if not np.isfinite(rows).all() or (
        rows.size and not np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-3)
    ):
        raise ValueError("vectors.npy holds rows that are not of length 1")
    return rows


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
