"""Analyses of a gallery by its vectors: unusual games, duplicates, maps, explanations, audits, evaluations."""

from __future__ import annotations
