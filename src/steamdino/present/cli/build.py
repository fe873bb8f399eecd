"""`steam-dino build`: encode new banners and replace the snapshot."""

from __future__ import annotations

from typing import Annotated

import typer

from steamdino.errors import UsageError
from steamdino.present.cli.console import note, say
from steamdino.present.cli.options import GalleryOptions, InferenceOptions
from steamdino.present.display_text import counted, duration

CHANGES = {
    "colours": "colour profiles of pictures were read",
    "passes": "the order of resizing was fixed",
    "positions": "position embeddings were resampled as in the code of the model's authors",
}
"""What changed with each field of a recipe's transform that earlier versions left open."""


def build(
    *,
    gallery: GalleryOptions,
    recipe: InferenceOptions,
    transform: Annotated[
        str | None,
        typer.Option(
            metavar="crop|squash|fit",
            help="How pictures are fitted to the model's input.",
            show_default=False,
        ),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(metavar="WxH", help="Input size of the model, in pixels.", show_default=False),
    ] = None,
    pooling: Annotated[
        str | None,
        typer.Option(
            metavar="simple|complex|gem|multiscale|patches",
            help="How tokens are pooled into one vector.",
            show_default=False,
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            metavar="cpu|cuda|mps",
            help="Device that encodes. A GPU needs the model's PyTorch weights. Default: cpu.",
            show_default=False,
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(help="Pictures decoded in parallel. Default: one per core.", show_default=False),
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(
            metavar="local|ray",
            help="What encodes: this machine, or a Ray cluster (extra: ray). Default: local.",
            show_default=False,
        ),
    ] = None,
    ray_address: Annotated[
        str | None,
        typer.Option(
            metavar="auto|HOST:PORT|ray://HOST:PORT",
            help="The Ray cluster. Default: $RAY_ADDRESS, else one that is started on this machine.",
            show_default=False,
        ),
    ] = None,
    actors: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Processes of the Ray cluster that encode. Default: one per core, or per GPU with --device cuda.",
            show_default=False,
        ),
    ] = None,
    index: Annotated[
        str | None,
        typer.Option(
            metavar="auto|exact|quantised",
            help="Search index. exact compares all games; quantised is faster with many. Default: auto, by their"
            " number.",
            show_default=False,
        ),
    ] = None,
    neighbours: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Nearest neighbours of each game to store; 0 stores none. Default: 100.",
            show_default=False,
        ),
    ] = None,
    upgrade: Annotated[
        bool,
        typer.Option(
            "--upgrade",
            help="Encode everything again if this version has new weights or prepares pictures differently.",
        ),
    ] = False,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Write the snapshot again even if nothing changed.")
    ] = False,
) -> None:
    """Encode new banners and make the gallery ready for searches.

    Each picture becomes a vector under a recipe (model, preprocessing, pooling); identical pictures are encoded
    once. Then the nearest neighbours of all games are found, in later builds only those of new and changed games. A new
    snapshot replaces the old one atomically, without disturbing running searches.

    You can stop it at any time: what is finished is kept, and the same command continues. If nothing is new, it does
    nothing.

    **Examples**

        steam-dino build
        steam-dino build --precision auto --transform fit --size 224x336
        steam-dino build --engine ray --ray-address auto
    """
    from steamdino.features.recipe_parser import parse
    from steamdino.index.index_registry import AUTO, MANY_GAMES
    from steamdino.pipeline import Plan
    from steamdino.pipeline import build as run
    from steamdino.present.cli.progress import bars

    settings = gallery.settings(
        recipe=recipe.recipe,
        device=device,
        precision=recipe.precision,
        threads=threads,
        engine=engine,
        ray_address=ray_address,
        actors=actors,
        index=index,
        neighbours=neighbours,
    )
    for name, value in (("--ray-address", ray_address), ("--actors", actors)):
        if value is not None and settings.engine != "ray":
            raise UsageError(f"{name} is {value!r}, and the engine is {settings.engine!r}; add: --engine ray")
    chosen = parse(settings.recipe, mode=transform, size=size_of(size), pooling=pooling)

    def announce(plan: Plan) -> None:
        note(f"{plan.banners:,} banners to encode in {plan.precision}, about {duration(plan.seconds)}.")

    with bars(("Encoding", "banners"), ("Comparing", "games")) as (encoding, listing):
        try:
            summary = run(
                settings.folder,
                chosen,
                kind=recipe.kind,
                device=settings.device,
                precision=settings.inference_precision,
                threads=settings.threads,
                engine=settings.engine,
                address=settings.ray_address,
                actors=settings.actors,
                index=settings.index,
                upgrade=upgrade,
                rebuild=rebuild,
                announce=announce,
                progress=encoding,
                neighbours=settings.neighbours,
                listing=listing,
            )
        except KeyboardInterrupt:
            if listing.done:
                kept = f"The neighbours of {listing.done:,} of {listing.total:,} games are found and kept"
            else:
                kept = f"{encoding.done:,} of {encoding.total:,} banners are encoded and kept"
            note(f"Stopped. {kept}; run the same command to continue.")
            raise typer.Exit(130) from None
    if summary.outdated:
        since = " and ".join(CHANGES[name] for name in summary.outdated)
        note(
            f"This gallery was built before {since}. To encode all banners again, run: steam-dino build --upgrade"
        )
    if not summary.swapped:
        say(f"Nothing to do: {summary.games:,} games are ready under the recipe {summary.recipe.name}.")
        return
    if summary.encoded:
        rate = summary.encoded / max(summary.seconds, 1e-9)
        say(f"Encoded {summary.encoded:,} banners in {duration(summary.seconds)} ({rate:,.0f} a second).")
    say(f"{summary.games:,} games are ready under the recipe {summary.recipe.name}.")
    if settings.index == AUTO and summary.games >= MANY_GAMES and summary.index == "exact":
        note("Searches compare all games, since no faster index could be built; see: steam-dino info")
    if summary.absent:
        games = counted(summary.absent, "game is", "games are")
        note(f"{games} missing from the snapshot; see: steam-dino info --problems")


def size_of(text: str | None) -> tuple[int, int] | None:
    """A width and a height in pixels, of a text like "224x336".

    Raises:
        UsageError: it is not of that kind, or too large.
    """
    if text is None:
        return None
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise UsageError(f"--size is {text!r}; it must be a width and a height, as in 224x336")
    if len(width) > 4 or len(height) > 4:
        raise UsageError(f"--size is {text!r}; each side must be below 10000")
    return int(width), int(height)
