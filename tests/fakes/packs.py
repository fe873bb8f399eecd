"""Packed snapshots as a stranger could make them: a small valid one, taken apart, and put together otherwise.

None of them holds anything that could do harm: what they claim is large, what they hold is small.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from steamdino.features.recipe_parser import named, parse, pooling_dim
from steamdino.features.whitening import Whitening
from steamdino.gallery.vectors import Absent, Row
from steamdino.index.pack import pack
from steamdino.index.snapshot_reader import SnapshotReader
from steamdino.index.snapshot_writer import write

GAMES = 5
DIM = 16
STORED = ("vectors.npy", "whitening.npz")


@cache
def projection() -> bytes:
    """A whitening of the bundled model's vectors, so that pictures can be encoded under a pack's recipe."""
    rng = np.random.default_rng(1)
    spec = parse("bundled/raw")
    long = pooling_dim(spec.model, spec.pooling)
    return Whitening(
        rng.standard_normal(long).astype(np.float32) / 100,
        rng.standard_normal((long, DIM)).astype(np.float32),
    ).to_bytes()


def snapshot(folder: Path) -> SnapshotReader:
    """A snapshot of a few games, with all that one may have: addresses, columns, absent games, a learned whitening."""
    recipe = replace(
        named("bundled/raw"),
        dim=DIM,
        projection=hashlib.sha256(projection()).hexdigest(),
        name="bundled/whiten16",
    )
    rows = [
        Row(
            str(10 * number),
            f"Game №{number}: Éclair　{number}",
            "steam",
            f"https://store.steampowered.com/app/{10 * number}",
            "",
            hashlib.sha256(str(number).encode()).hexdigest(),
            json.dumps({"tags": ["Indie", f"Tag {number}"], "released": "2020-05-17", "reviews": number}),
        )
        for number in range(1, GAMES + 1)
    ]
    absent = [Absent("70", "Gone", "it has no banner"), Absent("80", "Lost", "it has no banner")]
    vectors = np.random.default_rng(0).standard_normal((GAMES, DIM)).astype(np.float32)
    return SnapshotReader(
        write(folder, recipe, 1, rows, absent, vectors, {"f32": GAMES}, whitening=projection())
    )


def valid(folder: Path) -> dict[str, bytes]:
    """The members of a valid pack."""
    path = folder / "valid.steamdino"
    pack(snapshot(folder / "snapshots" / "x"), path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(
    path: Path,
    members: Mapping[str, bytes] | Iterable[tuple[str, bytes]],
    methods: Mapping[str, int] | None = None,
) -> Path:
    """Writes members as a pack does, but for the methods that are given."""
    pairs = members.items() if isinstance(members, Mapping) else members
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in pairs:
            usual = zipfile.ZIP_STORED if name in STORED else zipfile.ZIP_DEFLATED
            archive.writestr(zipfile.ZipInfo(name), data, (methods or {}).get(name, usual))
    return path


def array(values: Any, **options: Any) -> bytes:
    """A .npy file."""
    file = io.BytesIO()
    np.save(file, values, **options)
    return file.getvalue()


def header(descr: str, shape: tuple[int, ...], *, fortran: bool = False) -> bytes:
    """The header of a .npy file, with no numbers behind it."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": descr, "fortran_order": fortran, "shape": shape})
    return file.getvalue()


def arrays(**values: Any) -> bytes:
    """A .npz file."""
    file = io.BytesIO()
    np.savez(file, **values)
    return file.getvalue()


def with_whitening(members: Mapping[str, bytes], data: bytes) -> dict[str, bytes]:
    """Puts another whitening into a pack, and its sha256 into the recipe."""
    head = json.loads(members["manifest.json"])
    head["recipe"]["identity"]["projection"] = hashlib.sha256(data).hexdigest()
    return {**members, "whitening.npz": data, "manifest.json": json.dumps(head).encode()}
