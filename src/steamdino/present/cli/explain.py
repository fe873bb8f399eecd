"""`steam-dino explain`: why two banners match."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from steamdino.errors import NoSnapshotError, PictureError, QueryError
from steamdino.present.cli.console import beside, draws, note, out, say
from steamdino.present.cli.options import GalleryOptions, RecipeOptions
from steamdino.present.cli.output_options import OutputOptions, PicturesOption
from steamdino.present.display_text import closeness, printable, shortened
from steamdino.storage.location import LocalFile
from steamdino.storage.output import output_name

if TYPE_CHECKING:
    from PIL import Image

    from steamdino.analysis.explain import Explanation
    from steamdino.records import Query
    from steamdino.search import Snapshot
    from steamdino.storage.location import Location

LONGEST_NAME = 30


@dataclass(frozen=True, slots=True)
class ExplanationOutput(OutputOptions):
    """How an explanation is printed."""

    pictures: PicturesOption = None


def explain(
    first: Annotated[str, typer.Argument(metavar="A", help="An id, a name, or a picture file.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Another.")],
    *,
    picture: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="PNG file to write. - is stdout.", show_default=False
        ),
    ] = None,
    gallery: GalleryOptions,
    recipe: RecipeOptions,
    output: ExplanationOutput,
) -> None:
    """Show why two banners match: corresponding places, and what each part adds to the similarity.

    Each place in one picture is compared with every place in the other. Matching areas are shown as a heat map over
    both pictures and as numbered pairs of points. The table shows what each ninth of the pictures adds to the
    similarity. This is exact if the recipe's vector is a sum over places, as with the bundled model; otherwise it is
    the similarity lost when that part is covered.

    -o writes all of it as a picture. For a vision transformer it also shows the attention of each head.

    **Examples**

        steam-dino explain 730 "half life"

        steam-dino explain 730 my-draft.png -o why.png
    """
    from steamdino.analysis.explain import Explainer
    from steamdino.present.export.explanation_drawing import as_record, draw
    from steamdino.present.export.mosaic import check_png, write_png

    if picture:
        check_png(picture)
    output.check(("-o", picture))
    snapshot = _snapshot(gallery, recipe, first, second)
    if snapshot is None:
        from steamdino.features.recipe_parser import named

        explainer, names = Explainer(named(recipe.recipe or "bundled")), [Path(first).name, Path(second).name]
        places: list[Location] = [LocalFile(Path(first)), LocalFile(Path(second))]
    else:
        explainer = Explainer(snapshot.recipe, whitening=snapshot.whitening)
        found = [snapshot.find(text) for text in (first, second)]
        names, places = [_name(query) for query in found], [_place(query) for query in found]
    explanation = explainer(*[_decoded(place, explainer.colours) for place in places])
    percentile = snapshot.percentile(explanation.similarity) if snapshot else None
    title = f"{names[0]} and {names[1]}: {explanation.similarity:.3f}"
    if percentile is not None:
        title += f", closer than {closeness(percentile)} of pairs"
    if picture:
        write_png(picture, draw(explanation, title))
        note(f"{output_name(picture)}: the explanation as a picture")
    if output.format == "json":
        import json

        say(json.dumps(as_record(explanation, names, percentile), ensure_ascii=False, indent=2))
        return
    with beside(picture):
        _print(explanation, title, names, output.pictures)


def _snapshot(gallery: GalleryOptions, recipe: RecipeOptions, *queries: str) -> Snapshot | None:
    """The snapshot to ask; None where there is none and none is needed, since both are files."""
    try:
        return gallery.open(recipe)
    except NoSnapshotError:
        if all(Path(query).is_file() for query in queries):
            return None
        raise


def _name(query: Query) -> str:
    if query.game:
        return query.game.name
    return query.picture.name if query.picture else query.text


def _place(query: Query) -> Location:
    if query.location is None:
        raise QueryError(
            f"this snapshot has no picture of {query.text!r}, so it cannot be explained; name a picture file instead"
        )
    return query.location


def _decoded(place: Location, colours: str) -> Image.Image:
    from steamdino.banners.read import read_picture

    try:
        return read_picture(place, colours=colours)
    except PictureError as error:
        raise QueryError(f"{place.address}: {error}") from None


def _print(explanation: Explanation, title: str, names: list[str], pictures: bool | None) -> None:
    from rich.table import Table
    from rich.text import Text

    from steamdino.analysis.cell_matching import regions
    from steamdino.analysis.explain import EXACT
    from steamdino.present.cli.terminal_pictures import grid
    from steamdino.present.export.explanation_drawing import PLACES, amount, heat, tile

    console = out()
    console.print(Text(printable(title), style="bold"))
    if draws(pictures, console):
        sides = (explanation.first, explanation.second)
        shown = [*(("", tile(side)) for side in sides), *(("alike", heat(side)) for side in sides)]
        console.print(grid(shown, console.width))
    table = Table(box=None, pad_edge=False, header_style="bold")
    heading = "adds to the similarity" if explanation.method == EXACT else "is lost without it"
    table.add_column(heading)
    for name in names:
        table.add_column(Text(printable(shortened(name, LONGEST_NAME))), justify="right")
    one, two = (regions(side.shares) for side in (explanation.first, explanation.second))
    for place, first, second in zip(chain.from_iterable(PLACES), one.flat, two.flat, strict=True):
        values = (amount(float(value), explanation.similarity) for value in (first, second))
        table.add_row(place, *values)
    console.print(table)
    if explanation.unlocated:
        console.print(
            Text(f"{amount(explanation.unlocated, explanation.similarity)} belong to the picture as a whole")
        )
