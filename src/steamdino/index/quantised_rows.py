"""The distinct vectors of an index in a few bits a coordinate, which propose candidates for exact ranking.

turbovec rotates each vector at random and stores the nearest of 16 values for each coordinate, or of 4 values. The
error of a dot product is then proportional to the lengths of both vectors, whatever the data (Zandieh et al.,
TurboQuant, 2025). `MeanSplit` makes both as short as the differences that matter.
"""

from __future__ import annotations

import importlib
import math
import os
import threading
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from steamdino.errors import SnapshotError
from steamdino.index.distinct_rows import DistinctRows
from steamdino.index.mean_split import MeanSplit, padded

CODES, ROWS = "quantised.tv", "quantised.npz"
"""The files: turbovec's own, and the mean and the distinct rows as NumPy's arrays."""

LIBRARY = "turbovec"
DISTORTION = {4: 0.0095, 2: 0.1175}
"""Mean squared error of the best 2 ** bits values for a normal distribution of variance 1, by bits (J. Max, 1960)."""

MANY_VECTORS = 500_000
"""From so many distinct vectors on, coordinates have two bits instead of four. More candidates must then be ranked, but
reading half as many codes from memory saves more; see docs/explanation/search-index.md."""

SLOW = 1 / 40, 1 / 14
"""Between these shares of the vectors, turbovec 1.1 takes some hundred times as long with two bits as for fewer or for
more; see findings/turbovec-slow-between-3-and-6-percent.sh."""


def bits_for(count: int) -> int:
    """Bits of a coordinate in an index of so many distinct vectors."""
    return 2 if count >= MANY_VECTORS else 4


class Proposed(NamedTuple):
    """Candidates of several queries.

    Attributes:
        numbers: intp, shape (m, count): of the vectors.
        estimates: float32, shape (m, count): their estimated dot products with the query, falling.
        errors: float32, shape (m,): the standard deviation of these estimates.
    """

    numbers: NDArray[np.intp]
    estimates: NDArray[np.float32]
    errors: NDArray[np.float32]


class QuantisedRows:
    """Distinct vectors and their codes. Threads may share it.

    The codes are read when they are first needed: that takes a tenth of a second and as much memory as the file has,
    and many processes never need them, since the neighbours of all games are listed.

    Attributes:
        distinct: which rows are which vector.
        bits: of each coordinate.
    """

    def __init__(self, distinct: DistinctRows, split: MeanSplit, bits: int, codes: Callable[[], Any]) -> None:
        """Take the vectors and a function that returns their codes; it is called once."""
        self.distinct = distinct
        self.bits = bits
        self._split = split
        self._read = codes
        self._known: Any = None
        self._reading = threading.Lock()

    @property
    def _codes(self) -> Any:
        if self._known is None:
            with self._reading:
                if self._known is None:
                    self._known = self._read()
        return self._known

    @classmethod
    def build(cls, vectors: NDArray[np.float32]) -> Self:
        """Encode vectors: float32, shape (n, d).

        Raises:
            ImportError: turbovec is not installed.
            ValueError: a vector holds a number that is not finite.
        """
        library = _library()
        distinct = DistinctRows.of(vectors)
        split = MeanSplit.of(lambda: distinct.blocks(vectors), vectors.shape[1])
        bits = bits_for(len(distinct))
        codes = library.TurboQuantIndex(padded(vectors.shape[1]), bits)
        for block in distinct.blocks(vectors):
            codes.add(split.vectors(block))
        codes.prepare()
        return cls(distinct, split, bits, lambda: codes)

    @classmethod
    def open(cls, folder: Path, shape: tuple[int, ...]) -> Self:
        """Open what `save` wrote.

        Args:
            folder: of the snapshot.
            shape: of the vectors.

        Raises:
            ImportError: turbovec is not installed.
            FileNotFoundError: a file is missing.
            ValueError: a file is damaged, or is not of these vectors.
        """
        from zipfile import BadZipFile  # not needed by searches in small galleries, which shall start fast

        if find_spec(LIBRARY) is None:
            raise ModuleNotFoundError(f"No module named {LIBRARY!r}", name=LIBRARY)
        try:
            with (folder / ROWS).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                distinct = DistinctRows(arrays["first"], arrays["repeats"], arrays["numbers"])
                split = MeanSplit(arrays["mirror"], *(float(number) for number in arrays["split"]))
                bits = int(arrays["bits"]) if "bits" in arrays else 4  # what all had at first
            (folder / CODES).stat()
        except FileNotFoundError:
            raise
        except (OSError, KeyError, TypeError, EOFError, BadZipFile) as damage:
            raise ValueError(str(damage).partition("\n")[0]) from None
        rows, dim = shape
        distinct.check(rows)
        if split.mirror.shape != (dim,):
            raise ValueError(f"{ROWS} is not of these vectors")
        if bits not in DISTORTION:
            raise ValueError(f"{ROWS} names codes of {bits} bits")
        return cls(distinct, split, bits, partial(_codes, folder, (len(distinct), padded(dim), bits)))

    def save(self, folder: Path) -> tuple[str, ...]:
        """Write the files; return their names."""
        self._codes.write(str(folder / CODES), durable=False)  # the snapshot's writer flushes all files
        np.savez(
            folder / ROWS,
            allow_pickle=False,
            first=self.distinct.first,
            repeats=self.distinct.repeats,
            numbers=self.distinct.numbers,
            mirror=self._split.mirror,
            split=np.array([self._split.centre, self._split.scale, self._split.length]),
            bits=self.bits,
        )
        return CODES, ROWS

    def propose(self, queries: NDArray[np.float32], count: int, mask: NDArray[np.bool_] | None) -> Proposed:
        """Estimate which vectors are the most similar to each query.

        Args:
            queries: float32, shape (m, d).
            count: number of vectors. Fewer are returned if there are fewer, and more if that is much faster.
            mask: bool, shape (distinct,): the vectors that may be found; None for all.

        Raises:
            FileNotFoundError: the codes were not read yet, and the snapshot was pruned meanwhile.
            SnapshotError: their file is damaged.
        """
        split, lacking = self._split.queries(queries)
        if self.bits == 2:
            possible = len(self.distinct) if mask is None else int(np.count_nonzero(mask))
            few, many = (math.ceil(share * possible) for share in SLOW)
            count = many if few <= count < many else count
        estimates, numbers = self._codes.search(split, count, mask=mask)
        error = np.float32(self._split.length * np.sqrt(DISTORTION[self.bits] / split.shape[1]))
        return Proposed(numbers, estimates + lacking[:, None], np.linalg.norm(split, axis=1) * error)


def _codes(folder: Path, shape: tuple[int, int, int]) -> Any:
    """Read the codes of so many vectors, of so many coordinates, of so many bits."""
    damage = ""
    try:
        codes = _library().TurboQuantIndex.load(str(folder / CODES))
        if (len(codes), codes.dim, codes.bit_width) == shape:
            codes.prepare()
            return codes
        damage = "it is of other vectors"
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        damage = str(error).partition("\n")[0]
    raise SnapshotError(
        f"the search index in {folder} is damaged ({CODES}: {damage}); run: steam-dino build --rebuild"
    )


def _library() -> Any:
    """Load turbovec. It shall compare all codes of four bits.

    From 32,768 vectors on, turbovec 1.1 first selects by a part of the bits. That is two to four times as fast, and
    misses some of the best where no vectors are much alike and few candidates are asked for. With two bits so many more
    are asked for that one match in two thousand was missed at worst, and there it stays as it is. It reads this setting
    once for a process.
    """
    os.environ.setdefault("TURBOVEC_4BIT_PLANES", "0")
    return importlib.import_module(LIBRARY)
