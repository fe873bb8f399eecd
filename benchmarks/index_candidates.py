"""The search structures that `index.py` compares: what each library needs to propose candidates for re-ranking."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Rows = NDArray[np.intp]
Mask = NDArray[np.bool_]


class UnsupportedError(Exception):
    """The library cannot do this."""


class Candidate(Protocol):
    """A library's index, which proposes rows that are then ranked by their float32 vectors.

    Attributes:
        library: the module that it needs.
    """

    library: ClassVar[str]

    def build(self, vectors: Vectors) -> None:
        """Index vectors."""

    def save(self, path: Path) -> None:
        """Write the index."""

    def open(self, path: Path) -> None:
        """Open what was written, ready for the first query."""

    def propose(self, queries: Vectors, count: int, mask: Mask | None) -> Rows:
        """The best rows of each query: intp, shape (queries, at most count); -1 where there are fewer."""


class Turbovec:
    """turbovec: a random rotation, then one of 4 or 16 values for each coordinate.

    From 32,768 vectors on it selects by a part of the bits first, unless it shall compare all codes.
    """

    library: ClassVar[str] = "turbovec"

    def __init__(self, bits: int, *, staged: bool, calibrate: bool = False) -> None:
        self._bits, self._calibrate = bits, calibrate
        os.environ[f"TURBOVEC_{bits}BIT_PLANES"] = str(int(staged))

    def build(self, vectors: Vectors) -> None:
        """See `Candidate`."""
        import turbovec

        self._index = turbovec.TurboQuantIndex(vectors.shape[1], self._bits)
        if self._calibrate:
            some = np.random.default_rng(0).choice(len(vectors), min(4096, len(vectors)), replace=False)
            self._index.calibrate(vectors[np.sort(some)])
        self._index.add(vectors)

    def save(self, path: Path) -> None:
        """See `Candidate`."""
        self._index.write(str(path))

    def open(self, path: Path) -> None:
        """See `Candidate`."""
        import turbovec

        self._index = turbovec.TurboQuantIndex.load(str(path))
        self._index.prepare()

    def propose(self, queries: Vectors, count: int, mask: Mask | None) -> Rows:
        """See `Candidate`."""
        _, rows = self._index.search(queries, count, mask=mask)
        found: Rows = rows
        return found


class Faiss:
    """An index of FAISS by the text that its factory takes."""

    library: ClassVar[str] = "faiss"

    def __init__(self, text: str, *, probes: int = 0) -> None:
        self._text, self._probes = text, probes

    def build(self, vectors: Vectors) -> None:
        """See `Candidate`."""
        import faiss

        text = self._text.format(d=vectors.shape[1], half=vectors.shape[1] // 2)
        self._index = faiss.index_factory(vectors.shape[1], text, faiss.METRIC_INNER_PRODUCT)
        some = np.random.default_rng(0).choice(len(vectors), min(60_000, len(vectors)), replace=False)
        self._index.train(vectors[np.sort(some)])
        self._index.add(vectors)

    def save(self, path: Path) -> None:
        """See `Candidate`."""
        import faiss

        faiss.write_index(self._index, str(path))

    def open(self, path: Path) -> None:
        """See `Candidate`."""
        import faiss

        flag = (
            faiss.IO_FLAG_MMAP if self._probes else faiss.IO_FLAG_MMAP_IFC
        )  # each refuses what the other takes
        self._index = faiss.read_index(str(path), flag)
        if self._probes:
            faiss.extract_index_ivf(self._index).nprobe = self._probes

    def propose(self, queries: Vectors, count: int, mask: Mask | None) -> Rows:
        """See `Candidate`."""
        faiss: Any = importlib.import_module("faiss")  # its stubs do not know how it is called from Python

        if mask is None:
            found: Rows = self._index.search(queries, count)[1]
            return found
        selector = faiss.IDSelectorBitmap(np.packbits(mask, bitorder="little"))
        kind = faiss.SearchParametersIVF if self._probes else faiss.SearchParameters
        more = {"nprobe": self._probes} if self._probes else {}
        try:
            found = self._index.search(queries, count, params=kind(sel=selector, **more))[1]
        except RuntimeError as error:
            raise UnsupportedError from error
        return found


class Usearch:
    """usearch: a graph over vectors of fewer bits."""

    library: ClassVar[str] = "usearch.index"

    def __init__(self, dtype: str) -> None:
        self._dtype = dtype

    def build(self, vectors: Vectors) -> None:
        """See `Candidate`."""
        from usearch.index import Index

        self._index = Index(ndim=vectors.shape[1], metric="ip", dtype=self._dtype)
        self._index.add(np.arange(len(vectors)), vectors, threads=os.cpu_count() or 1)

    def save(self, path: Path) -> None:
        """See `Candidate`."""
        self._index.save(str(path))

    def open(self, path: Path) -> None:
        """See `Candidate`."""
        from usearch.index import Index

        self._index = Index.restore(str(path), view=True)

    def propose(self, queries: Vectors, count: int, mask: Mask | None) -> Rows:
        """See `Candidate`."""
        if mask is not None:
            raise UnsupportedError
        found: Any = self._index.search(queries, count, threads=1)
        rows: Rows = np.atleast_2d(found.keys).astype(np.intp)
        return rows


class Signs:
    """One bit for each coordinate, in NumPy: the sign after the mean was subtracted."""

    library: ClassVar[str] = "numpy"

    def build(self, vectors: Vectors) -> None:
        """See `Candidate`."""
        self._mean = vectors.mean(axis=0)
        self._codes = np.packbits(vectors > self._mean, axis=1).view(np.uint64)

    def save(self, path: Path) -> None:
        """See `Candidate`."""
        with path.open("wb") as file:
            np.save(file, self._mean)
            np.save(file, self._codes)

    def open(self, path: Path) -> None:
        """See `Candidate`."""
        with path.open("rb") as file:
            self._mean = np.load(file)
            shape, _, dtype = (
                np.lib.format.read_magic(file)
                and np.lib.format.read_array_header_1_0(file)  # where the codes begin
            )
            self._codes = np.memmap(path, dtype, "r", file.tell(), shape).view(np.ndarray)

    def propose(self, queries: Vectors, count: int, mask: Mask | None) -> Rows:
        """See `Candidate`."""
        rows = None if mask is None else np.flatnonzero(mask)
        codes = self._codes if rows is None else self._codes[rows]
        count = min(count, len(codes))
        found = np.empty((len(queries), count), np.intp)
        asked = np.packbits(queries > self._mean, axis=1).view(np.uint64)
        for position, code in enumerate(asked):
            apart = np.bitwise_count(codes ^ code).sum(axis=1, dtype=np.uint16)
            found[position] = np.argpartition(apart, count - 1)[:count]
        return found if rows is None else rows[found]


CANDIDATES: dict[str, Callable[[], Candidate]] = {
    "turbovec 4 bits": lambda: Turbovec(4, staged=False),
    "turbovec 4 bits, calibrated": lambda: Turbovec(4, staged=False, calibrate=True),
    "turbovec 4 bits, staged": lambda: Turbovec(4, staged=True),
    "turbovec 2 bits": lambda: Turbovec(2, staged=False),
    "FAISS PQ d/2 x 4 fast scan": lambda: Faiss("PQ{half}x4fs"),
    "FAISS PQ d x 4 fast scan": lambda: Faiss("PQ{d}x4fs"),
    "FAISS RaBitQ fast scan": lambda: Faiss("RaBitQfs"),
    "FAISS RaBitQ 4 bits fast scan": lambda: Faiss("RaBitQfs4"),
    "FAISS SQ4": lambda: Faiss("SQ4"),
    "FAISS IVF1024, SQ8, 64 probes": lambda: Faiss("IVF1024,SQ8", probes=64),
    "FAISS IVF1024, PQ fast scan, 64 probes": lambda: Faiss("IVF1024,PQ{half}x4fs", probes=64),
    "usearch bf16": lambda: Usearch("bf16"),
    "usearch i8": lambda: Usearch("i8"),
    "NumPy signs": Signs,
}
