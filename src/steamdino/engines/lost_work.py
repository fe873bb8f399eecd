"""Hands out work in pieces, and again what was lost with the process that had it.

A banner whose picture ends every process that decodes it must not end the whole run. A piece that was lost is tried
once more, by a process that has nothing else to do. If it is lost again, each of its banners is tried alone, and one
that is lost alone is given up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from steamdino.engines.engine import Failure
from steamdino.gallery.vectors import Pending

GIVEN_UP = "the process that encoded it ended"


@dataclass(frozen=True, slots=True)
class Piece:
    """A few banners that one process encodes.

    Attributes:
        banners: that are encoded.
        losses: how often the process that had them ended.
    """

    banners: tuple[Pending, ...]
    losses: int = 0

    @property
    def alone(self) -> bool:
        """Whether its process may have nothing else to do, so that only this piece can have ended it."""
        return self.losses > 0


class Work:
    """Banners in pieces. They are taken from their source only as pieces are asked for."""

    def __init__(self, banners: Iterable[Pending], size: int) -> None:
        """Take the banners, and how many make a piece."""
        self._source = iter(banners)
        self._size = size
        self._lost: deque[Piece] = deque()
        self._next: Piece | None = None

    def peek(self) -> Piece | None:
        """The next piece, which stays the next one; None if there is none at the moment."""
        if self._lost:
            return self._lost[0]
        if self._next is None and (banners := tuple(islice(self._source, self._size))):
            self._next = Piece(banners)
        return self._next

    def take(self) -> Piece:
        """The next piece, which is handed out.

        Raises:
            IndexError: there is none.
        """
        piece = self.peek()
        if piece is None:
            raise IndexError("no piece is left")
        if self._lost:
            return self._lost.popleft()
        self._next = None
        return piece

    def lose(self, piece: Piece) -> Failure | None:
        """Take back a piece whose process ended; return the failure if it is given up."""
        if not piece.alone:
            self._lost.append(Piece(piece.banners, 1))
        elif len(piece.banners) > 1:
            self._lost.extend(Piece((banner,), piece.losses + 1) for banner in piece.banners)
        else:
            return Failure(piece.banners[0], GIVEN_UP)
        return None
