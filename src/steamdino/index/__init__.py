"""The read side: immutable snapshots, and nearest-neighbour search over their vectors."""

from __future__ import annotations
