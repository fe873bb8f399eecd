"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

GalleryOption = Annotated[
    Path | None,
    typer.Option(
        "--gallery",
        "-g",
        metavar="DIR",
        help="The gallery's folder. Default: $STEAMDINO_GALLERY, steamdino.toml, ./gallery.",
        show_default=False,
    ),
]
RecipeOption = Annotated[
    str | None,
    typer.Option("--recipe", metavar="NAME", help="The recipe's name or hash.", show_default=False),
]
PrecisionOption = Annotated[
    str | None,
    typer.Option(
        "--precision",
        metavar="f32|bf16|auto",
        help="Of the inference: exact, twice as fast where the CPU has it, or whichever is faster. Default: f32.",
        show_default=False,
    ),
]
