"""The numbers in which a gallery stores vectors: one definition of each, with its bytes.

Another kind is one more `VectorDtype`, or a class with its methods where numbers must be scaled; the database names the
kind of each recipe's vectors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from steamdino.errors import GalleryError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class VectorDtype:
    """A kind of number that a vector is stored in.

    Attributes:
        name: in the database.
        code: NumPy's name, with the order of bytes.
        width: bytes of a number.
    """

    name: str
    code: str
    width: int

    def to_bytes(self, vectors: NDArray[np.float32]) -> list[bytes]:
        """Round vectors of shape (n, dim) to this kind; returns the bytes of each row."""
        return [row.tobytes() for row in vectors.astype(self.code)]

    def from_bytes(self, data: bytes) -> NDArray[np.float32]:
        """Read one vector back: float32, shape (dim,)."""
        import numpy as np

        return np.frombuffer(data, self.code).astype(np.float32)

    def size(self, dim: int) -> int:
        """The bytes of a vector of `dim` numbers."""
        return self.width * dim


FLOAT16 = VectorDtype("float16", "<f2", 2)
"""Moves a cosine by less than 1e-7 and takes half the bytes of float32."""

NEW = FLOAT16
"""The kind that recipes get which are new in a gallery."""

_DTYPES = {dtype.name: dtype for dtype in (FLOAT16,)}


def dtype_named(name: str) -> VectorDtype:
    """The kind of number that the database names.

    Raises:
        GalleryError: this program does not know it.
    """
    if name not in _DTYPES:
        raise GalleryError(
            f"its vectors are stored as {name[:40]!r}, which this steam-dino does not know; upgrade it"
        )
    return _DTYPES[name]
