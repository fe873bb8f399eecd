"""Turns a query (an id, a name, a picture, words, or a mixture of these) into matches."""

from steamdino.search.snapshot import Snapshot

__all__ = ["Snapshot"]
