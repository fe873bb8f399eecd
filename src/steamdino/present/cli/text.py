"""`steam-dino text`: the games whose banners fit a sentence."""

from __future__ import annotations

from typing import Annotated

import typer

from steamdino.present.cli.console import note_undated
from steamdino.present.cli.match_output import MatchOutput, print_answer
from steamdino.present.cli.options import (
    AdultFilterOptions,
    AlikeOption,
    CountOption,
    RecipeOptions,
    SnapshotOptions,
)


def text(
    sentence: Annotated[str, typer.Argument(metavar="SENTENCE", help="What should be on the banner.")],
    *,
    gallery: SnapshotOptions,
    k: CountOption = 10,
    recipe: RecipeOptions,
    alike: AlikeOption = False,
    only: AdultFilterOptions,
    output: MatchOutput,
) -> None:
    """Show the games whose banners fit a sentence best.

    This needs a recipe that knows words: get CLIP once with `steam-dino models pull clip-vitb32`, then build the
    gallery with `steam-dino build --recipe clip`. Of a gallery's recipes the one that knows words answers.

    "closer than" says how many of the gallery's games fit less.

    **Example**

        steam-dino text "a red dragon over a castle"
    """
    allowed = only.filter
    snapshot = gallery.open(recipe, words=True)
    matches = snapshot.text(sentence, k, alike=alike, only=allowed)
    note_undated(matches.undated)
    print_answer(matches, output, snapshot=snapshot, gallery=gallery.folder, kind=recipe.kind)
