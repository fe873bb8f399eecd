"""Media types that a client may ask for instead of an answer's own, because programs know them better."""

from __future__ import annotations

from fastapi import Request

OCTETS, XML = "application/octet-stream", "text/xml"
BINARY = {"type": "string", "format": "binary"}
"""The schema of bytes: of a picture that is sent or answered."""


def accepted(request: Request, own: str, other: str) -> str:
    """Return the media type of an answer: its own, or another one if the client names just that in Accept."""
    wanted = request.headers.get("accept", "").partition(";")[0].strip().lower()
    return other if wanted == other else own
