"""The stages in order on this machine: add what is there, encode what is new, swap the snapshot."""

from __future__ import annotations

from steamdino.pipeline.add import AddSummary, add
from steamdino.pipeline.build import BuildSummary, Plan, build
from steamdino.pipeline.doctor import Finding, examine
from steamdino.pipeline.housekeeping import PruneSummary, prune, remove

__all__ = [
    "AddSummary",
    "BuildSummary",
    "Finding",
    "Plan",
    "PruneSummary",
    "add",
    "build",
    "examine",
    "prune",
    "remove",
]
