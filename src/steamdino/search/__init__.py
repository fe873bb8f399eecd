"""A question (an id, a name, a picture, words, a mixture of them) becomes matches."""

from steamdino.search.snapshot import Snapshot

__all__ = ["Snapshot"]
