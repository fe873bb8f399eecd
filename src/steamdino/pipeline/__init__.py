"""The stages in order on this machine: add what is there, encode what is new, swap the snapshot."""

from __future__ import annotations

from steamdino.pipeline.add import AddSummary, add
from steamdino.pipeline.build import BuildSummary, Plan, build

__all__ = ["AddSummary", "BuildSummary", "Plan", "add", "build"]
