"""`steam-dino models show`: what a model sees of a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from steamdino.errors import PictureError, QueryError
from steamdino.present.cli.console import beside, note, say
from steamdino.present.cli.output_options import check_outputs
from steamdino.storage.output import output_name


def show(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="Recipe, as in build --recipe.")],
    picture: Annotated[Path, typer.Argument(metavar="PICTURE", help="Picture file of a banner.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="PNG file to write. - is stdout. Default: in the current folder, named after both.",
        ),
    ] = None,
) -> None:
    """Write what a model sees of a picture, and where its heads look, as a PNG.

    The preprocessing decides what reaches the model: `crop` cuts the borders off, `squash` distorts, `fit` pads. For a
    vision transformer the attention of the last block's heads is drawn over it, from the CLS token to the patches.

    **Examples**

        steam-dino models show bundled banner.jpg

        steam-dino models show dino-vits8/fit/224x336 banner.jpg -o seen.png
    """
    from PIL import Image

    from steamdino.banners.read import read_picture
    from steamdino.features.attention import attention
    from steamdino.features.recipe_parser import of, parse
    from steamdino.features.transform import prepare
    from steamdino.present.export.model_view import sheet
    from steamdino.present.export.mosaic import check_png, write_png

    spec = parse(recipe)
    chosen = of(spec.base)
    target = output or Path(f"{picture.stem}-{spec.label.replace('/', '-')}.png")
    check_png(target)
    check_outputs(("-o", target))
    try:
        original = read_picture(picture, colours=chosen.transform.colours)
    except PictureError as error:
        raise QueryError(f"{picture}: {error}") from None
    pixels = prepare(original, chosen.transform)
    maps = list(attention(chosen, pixels)) if spec.model.family == "vit" else []
    if not maps:
        note(f"{spec.model.name} has no heads, so there is no attention to draw.")
    drawn = sheet(original, Image.fromarray(pixels), maps, f"{spec.label}: {chosen.transform.mode}")
    write_png(target, drawn)
    with beside(target):
        say(output_name(target))
