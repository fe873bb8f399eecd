"""The stages in order: add sources, encode new banners, swap the snapshot; and the upkeep of a gallery."""

from __future__ import annotations

from steamdino.pipeline.add import add
from steamdino.pipeline.build import BuildSummary, build
from steamdino.pipeline.doctor import Finding, examine
from steamdino.pipeline.estimate import Plan
from steamdino.pipeline.housekeeping import PruneSummary, prune, remove
from steamdino.pipeline.scan import AddSummary

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
