"""`steam-dino text`: the games whose banners match a sentence."""

from __future__ import annotations

from typing import Annotated

import typer

from steamdino.present.cli.console import note_undated
from steamdino.present.cli.filter_options import CutoffOptions, HidingFilterOptions
from steamdino.present.cli.match_output import MatchOutput, print_answer
from steamdino.present.cli.options import CountOption, RecipeOptions, SnapshotOptions


def text(
    sentence: Annotated[str, typer.Argument(metavar="SENTENCE", help="What should be on the banner.")],
    *,
    gallery: SnapshotOptions,
    k: CountOption = 10,
    recipe: RecipeOptions,
    least: CutoffOptions,
    only: HidingFilterOptions,
    output: MatchOutput,
) -> None:
    """Show the games whose banners best match a sentence.

    This needs a recipe with a text model. Download CLIP once with `steam-dino models pull clip-vitb32`, then build the
    gallery with `steam-dino build --recipe clip`. If a gallery has several recipes, one with a text model is used.

    "closer than" is the share of the gallery's games that match the sentence less well.

    **Example**

        steam-dino text "a red dragon over a castle"
    """
    allowed, cutoff = only.filter, least.cutoff
    snapshot = gallery.open(recipe, words=True, once=True)
    output.check_columns(snapshot)
    matches = snapshot.text(
        sentence,
        k,
        min_similarity=cutoff.min_similarity,
        min_percentile=cutoff.min_percentile,
        only=allowed,
    )
    note_undated(matches.undated)
    print_answer(matches, output, snapshot=snapshot, gallery=gallery.home, kind=recipe.kind, cutoff=cutoff)
