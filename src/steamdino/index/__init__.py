"""The read side: immutable snapshots, and exact search over their vectors."""

from __future__ import annotations
