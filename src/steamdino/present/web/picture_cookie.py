"""The cookie in which a browser keeps its picture's vector, so that any worker and any server can go on with it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steamdino.records import Query
from steamdino.search.query_vectors import QueryVector

COOKIE = "picture"
SECONDS = 86_400
"""How long a browser keeps it."""
SECRET_BYTES = 16
_HEAD = struct.Struct(f"<B{SECRET_BYTES}s32s16scH")
_VERSION = 1
_LARGEST = 3000
"""Bytes; base64 makes 4,000 of them, and browsers refuse cookies of more than 4,096."""
_LONGEST_NAME = 160
"""Bytes of the name."""


@dataclass(frozen=True, slots=True)
class OwnPicture:
    """A picture that somebody sent.

    Attributes:
        secret: names it; only the browser that sent it knows it.
        name: of its file.
        sha256: of the bytes that were sent.
        recipe: hash of the recipe of `vector`.
        vector: of the whole picture as it was sent: float32, shape (dim,), unit length. None if it is too long for a
            cookie.
    """

    secret: bytes
    name: str
    sha256: str
    recipe: str
    vector: NDArray[np.float32] | None

    @classmethod
    def sent(cls, name: str, encoded: QueryVector, recipe: str) -> OwnPicture:
        """Make one of a picture that just arrived and was encoded under a recipe, given by its hash."""
        return cls(secrets.token_bytes(SECRET_BYTES), name, encoded.sha256 or "", recipe, encoded.vector)

    @property
    def id(self) -> str:
        """Its name in addresses. It does not tell the secret."""
        return hashlib.sha256(b"page " + self.secret).hexdigest()[:20]

    def query(self) -> QueryVector | None:
        """Return what to search by, if the vector is known."""
        if self.vector is None:
            return None
        return QueryVector(Query(self.name, "picture"), self.vector, sha256=self.sha256)


def written(picture: OwnPicture) -> str:
    """Return a picture as a cookie's value.

    A vector is stored in 32 bits a number if there is room for them, otherwise in 16 or 8.
    """
    name = picture.name.encode("utf-8", "replace")[:_LONGEST_NAME]
    left = _LARGEST - _HEAD.size - len(name)
    kind, data = b"n", b""
    if picture.vector is not None:
        if 4 * len(picture.vector) <= left:
            kind, data = b"f", picture.vector.astype("<f4").tobytes()
        elif 2 * len(picture.vector) <= left:
            kind, data = b"e", picture.vector.astype("<f2").tobytes()
        elif len(picture.vector) <= left:
            scaled = picture.vector * (127 / np.abs(picture.vector).max())
            kind, data = b"b", np.rint(scaled).astype(np.int8).tobytes()
    head = _HEAD.pack(
        _VERSION,
        picture.secret,
        bytes.fromhex(picture.sha256),
        picture.recipe[:16].encode("ascii").ljust(16),
        kind,
        len(data),
    )
    return base64.urlsafe_b64encode(head + data + name).decode("ascii").rstrip("=")


def read(value: str) -> OwnPicture | None:
    """Return the picture that a cookie describes; None if it is malformed: it is a stranger's text."""
    try:
        raw = base64.b64decode(value + "=" * (-len(value) % 4), b"-_", validate=True)
        version, secret, sha256, recipe, kind, length = _HEAD.unpack_from(raw)
        data = raw[_HEAD.size : _HEAD.size + length]
        name = raw[_HEAD.size + length :].decode("utf-8", "replace")
        if version != _VERSION or len(data) != length or len(name) > _LONGEST_NAME:
            return None
        vector = None
        if kind != b"n":
            stored = np.frombuffer(data, {b"f": "<f4", b"e": "<f2", b"b": "i1"}[kind]).astype(np.float32)
            norm = float(np.linalg.norm(stored))
            if not 0 < norm < np.inf:
                return None
            vector = stored / np.float32(norm)
        return OwnPicture(secret, name, sha256.hex(), recipe.decode("ascii").strip(), vector)
    except (ValueError, KeyError, struct.error, binascii.Error):
        return None
