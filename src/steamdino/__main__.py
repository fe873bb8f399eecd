"""Run the command line with ``python -m steamdino``."""

from __future__ import annotations

from steamdino.present.cli.entry import run

run()
