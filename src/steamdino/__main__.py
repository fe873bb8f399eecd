"""`python -m steamdino` is `steam-dino`."""

from __future__ import annotations

from steamdino.present.cli.main import run

run()
