"""Packs a snapshot into one file that can be passed on, and opens such a file even if it comes from a stranger.

A pack is a zip of text and numbers; `pack_schema` says what it may hold. When it is opened,

* its structure and the sizes that it claims are checked against the file's size before anything is allocated,
* each field is checked, and none becomes a file name,
* it is written piece by piece into a temporary folder, so that memory stays below three times the file's size, and
* names and vectors are indexed again, so that no database and no index from a stranger is ever read.

Equal snapshots give equal files, since a pack does not say when or where it was made.
"""

from __future__ import annotations

import hashlib
import sqlite3
import tempfile
import weakref
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import IO

import numpy as np

from steamdino.errors import SnapshotError
from steamdino.gallery.vectors import Absent, Row
from steamdino.index import pack_schema as schema
from steamdino.index.exact import ExactIndex
from steamdino.index.index_registry import AUTO
from steamdino.index.manifest import GAMES, MANIFEST, VECTORS, WHITENING
from steamdino.index.neighbour_lists import DEFAULT
from steamdino.index.pack_schema import PackHeader
from steamdino.index.snapshot_reader import SnapshotReader
from steamdino.index.snapshot_writer import Draft
from steamdino.recipe import LARGEST_DIM, Recipe
from steamdino.storage.checked_zip import CheckedZip
from steamdino.storage.npy import BLOCK, ArrayHeader, blocks, read_header
from steamdino.storage.output import writing

LISTED = 40_000
"""Most games of a pack whose neighbours are listed when it is opened for that: it takes ten seconds on two cores."""

TOLERANCE = 1e-3
"""How far the length of a row may differ from 1."""

LARGEST_WEIGHT = 1e12
"""Largest weight of a whitening. Products with larger ones would leave the range of single precision."""

_WHITENING_PARTS = {"mean.npy": False, "projection.npy": False}


def pack(reader: SnapshotReader, path: Path) -> None:
    """Write an open snapshot into one file. An existing file is replaced only when the new one is complete.

    Paths of pictures are not written: they are useless elsewhere, and would reveal something about this machine.

    Raises:
        SnapshotError: the snapshot holds something that a pack may not hold.
        OutputError: the file cannot be written.
    """
    manifest = reader.manifest
    head = PackHeader(manifest.recipe, manifest.games, manifest.created_at, dict(manifest.precisions))
    texts: dict[str, Callable[[], Iterator[bytes]]] = {
        schema.GAMES: lambda: schema.write_games(reader.every_row()),
        schema.ABSENT: lambda: schema.write_absent(reader.every_absent()),
    }
    try:
        # Everything is checked before the first byte is written.
        written = schema.write_head(head)
        unpacked = len(written) + sum(len(line) for lines in texts.values() for line in lines())
        for block in _rows(reader):
            _check_rows(block)
        if reader.whitening is not None:
            with reader.whitening.open("rb") as source:
                digest = hashlib.file_digest(source, "sha256").hexdigest()
            _check_whitening(reader.whitening, digest, manifest.recipe)
    except (ValueError, RecursionError) as error:
        raise SnapshotError(
            f"{reader.folder} cannot be packed: {_first_line(error)}; correct its source, add it again and build"
        ) from None
    fits = unpacked <= max(schema.HARMLESS, schema.SWELLING * reader.vectors.nbytes)
    kind = zipfile.ZIP_DEFLATED if fits else zipfile.ZIP_STORED
    with writing(path) as file, zipfile.ZipFile(file, "w") as archive:
        with _member(archive, MANIFEST, kind) as member:
            member.write(written)
        with _member(archive, VECTORS, zipfile.ZIP_STORED) as member:
            np.lib.format.write_array_header_1_0(member, _described(reader.vectors.shape))
            for block in _rows(reader):
                member.write(block.astype("<f4", copy=False).tobytes())
        if reader.whitening is not None:
            with (
                reader.whitening.open("rb") as source,
                _member(archive, WHITENING, zipfile.ZIP_STORED) as member,
            ):
                _copy(source, member)
        for name, lines in texts.items():
            with _member(archive, name, kind) as member:
                member.writelines(lines())


def open_pack(path: Path, *, exact: bool = False, listed: bool = False) -> SnapshotReader:
    """Open a packed snapshot: check it, and unpack it into a temporary folder that lives as long as the reader.

    The file may come from a stranger. Whatever it holds, nothing outside the temporary folder is read or written, and
    memory stays below three times the file's size, plus some 50 MB for the program. The folder needs as much space as
    the file unpacks to, and as much again for the index of names; `TMPDIR` says where it is created.

    Args:
        path: the file.
        exact: compare all rows, and build no index.
        listed: find the neighbours of all games now, unless there are more than `LISTED`. It takes seconds.

    Raises:
        SnapshotError: it is not a packed snapshot, it is damaged, or a newer program wrote it.
    """
    folder = tempfile.TemporaryDirectory(prefix="steam-dino-")
    with ExitStack() as stack:
        stack.callback(folder.cleanup)
        try:
            with path.open("rb") as file:
                reader = SnapshotReader(_unpack(file, Path(folder.name), exact=exact, listed=listed))
        except schema.NewerFormatError as error:
            raise SnapshotError(f"{path}: {error}") from None
        except OSError as error:
            raise SnapshotError(f"{path} cannot be read: {error.strerror or _first_line(error)}") from None
        except Exception as error:  # any exception that a stranger's bytes can cause in a parser
            raise SnapshotError(
                f"{path} is not a packed snapshot, or is damaged ({_first_line(error)}); download or copy it again"
            ) from None
        stack.pop_all()
    weakref.finalize(reader, folder.cleanup)
    return reader


def _unpack(file: IO[bytes], folder: Path, *, exact: bool, listed: bool) -> Path:
    """Unpack a pack as a snapshot below a folder; return the snapshot's folder."""
    swelling = max(schema.HARMLESS, schema.SWELLING * file.seek(0, 2))
    with CheckedZip(file, schema.MEMBERS, swelling=swelling) as archive:
        if archive.bytes_of(MANIFEST) > schema.LARGEST_MANIFEST:
            raise ValueError(f"{MANIFEST} has more than {schema.LARGEST_MANIFEST:,} bytes")
        with archive.open(MANIFEST) as member:
            head = schema.read_head(member.read())
        recipe = head.recipe
        with Draft(folder / "snapshots" / recipe.hash, durable=False) as draft:
            _unpack_vectors(archive, draft.folder / VECTORS, (head.games, recipe.dim))
            if WHITENING in archive:
                _unpack_whitening(archive, draft.folder / WHITENING, recipe)
            with archive.open(schema.GAMES) as games, archive.open(schema.ABSENT) as absent:
                draft.write_games(
                    (Row(**record) for record in schema.read_games(_lines(games))),
                    (Absent(**record) for record in schema.read_absent(_lines(absent))),
                )
            _check_games(draft.folder / GAMES, head)
            return draft.commit(
                recipe,
                revision=0,
                precisions=head.precisions,
                created_at=head.created_at,
                index=ExactIndex.name if exact else AUTO,
                neighbours=DEFAULT if listed and head.games <= LISTED else 0,
            )


def _unpack_vectors(archive: CheckedZip, target: Path, shape: tuple[int, int]) -> None:
    with archive.open(VECTORS) as source, target.open("wb") as file:
        _header(source, VECTORS, archive.bytes_of(VECTORS), (4,), shape)
        np.lib.format.write_array_header_1_0(file, _described(shape))
        for block in blocks(source, ArrayHeader(4, shape, 0)):
            _check_rows(block)
            file.write(block.tobytes())


def _unpack_whitening(archive: CheckedZip, target: Path, recipe: Recipe) -> None:
    with archive.open(WHITENING) as source, target.open("wb") as file:
        digest = _copy(source, file)
    _check_whitening(target, digest, recipe)


def _check_whitening(path: Path, digest: str, recipe: Recipe) -> None:
    if digest != recipe.projection:
        raise ValueError(f"{WHITENING} is not the file that the recipe names")
    with path.open("rb") as file, CheckedZip(file, _WHITENING_PARTS, swelling=0) as parts:
        # The model determines the dimension before whitening. Here both arrays must agree on it.
        (long,) = _checked_floats(parts, "mean.npy", (None,))
        if not recipe.dim <= long <= LARGEST_DIM:
            raise ValueError(
                f"{WHITENING} makes {recipe.dim:,} numbers of {long:,}; at most {LARGEST_DIM:,} are possible"
            )
        _checked_floats(parts, "projection.npy", (long, recipe.dim))


def _checked_floats(parts: CheckedZip, name: str, shape: tuple[int | None, ...]) -> tuple[int, ...]:
    """Check the shape of an array of a whitening, and that its numbers are in range; return the shape."""
    with parts.open(name) as source:
        header = _header(source, f"{name} in {WHITENING}", parts.bytes_of(name), (2, 4, 8), shape)
        for block in blocks(source, header):
            if not (np.abs(block.astype(np.float64)) <= LARGEST_WEIGHT).all():  # false for NaN, too
                raise ValueError(f"{name} in {WHITENING} holds numbers beyond {LARGEST_WEIGHT:g}")
    return header.shape


def _header(
    source: IO[bytes], name: str, size: int, widths: tuple[int, ...], shape: tuple[int | None, ...]
) -> ArrayHeader:
    """Read an array's header, and check its shape and width, and that its member has the size that follows."""
    try:
        header = read_header(source)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    fits = len(header.shape) == len(shape) and all(
        side >= 1 if due is None else side == due for side, due in zip(header.shape, shape, strict=True)
    )
    if not fits or header.width not in widths:
        raise ValueError(
            f"{name} has the shape {header.shape} of {header.width}-byte floats, and should have {shape}"
        )
    if header.bytes != size:
        raise ValueError(f"{name} has {size:,} bytes, and should have {header.bytes:,}")
    return header


def _check_rows(rows: np.ndarray) -> None:
    with np.errstate(all="ignore"):
        lengths = np.linalg.norm(rows.astype(np.float64), axis=1)
        if not (np.abs(lengths - 1) <= TOLERANCE).all():  # false for NaN, too
            raise ValueError(f"{VECTORS} holds rows that are not of length 1")


def _check_games(path: Path, head: PackHeader) -> None:
    """Check what no single line shows: the number of games, and that no game is in both lists."""
    with closing(sqlite3.connect(path)) as db:
        (count,) = db.execute("SELECT count(*) FROM games").fetchone()
        if count != head.games:
            raise ValueError(f"{schema.GAMES} has {count:,} games, and {MANIFEST} says {head.games:,}")
        both = db.execute("SELECT id FROM absent JOIN games USING (id) LIMIT 1").fetchone()
        if both:
            raise ValueError(f"the game {both[0][:80]!r} is in {schema.GAMES} and in {schema.ABSENT}")


def _lines(member: IO[bytes]) -> Iterator[bytes]:
    while line := member.readline(schema.LARGEST_LINE):
        yield line


def _rows(reader: SnapshotReader) -> Iterator[np.ndarray]:
    """Yield the vectors, some rows at a time."""
    step = max(1, BLOCK // (4 * reader.vectors.shape[1]))
    for start in range(0, len(reader.vectors), step):
        yield reader.vectors[start : start + step]


def _described(shape: tuple[int, ...]) -> dict[str, object]:
    return {"descr": "<f4", "fortran_order": False, "shape": shape}


def _member(archive: zipfile.ZipFile, name: str, compression: int) -> IO[bytes]:
    """Open a member for writing, without the time and the operating system in its header."""
    member = zipfile.ZipInfo(name)
    member.compress_type = compression
    member.create_system, member.external_attr = 3, 0o644 << 16
    return archive.open(member, "w", force_zip64=name == VECTORS)


def _copy(source: IO[bytes], target: IO[bytes]) -> str:
    """Copy a stream; return its sha256."""
    digest = hashlib.sha256()
    while part := source.read(BLOCK):
        digest.update(part)
        target.write(part)
    return digest.hexdigest()


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
