"""`steam-dino publish`: a gallery's newest snapshots in object storage."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from steamdino.present.cli.console import note, say
from steamdino.present.cli.options import GalleryOptions
from steamdino.present.display_text import counted


def publish(
    address: Annotated[
        str,
        typer.Argument(
            metavar="ADDRESS", help="A prefix in object storage that holds nothing else: s3://bucket/store."
        ),
    ],
    *,
    gallery: GalleryOptions,
    pictures: Annotated[
        bool,
        typer.Option(
            "--pictures/--no-pictures",
            help="Upload the banners, too. Those that are in object storage stay where they are.",
        ),
    ] = True,
    grace: Annotated[
        float,
        typer.Option(
            metavar="HOURS",
            min=0,
            help="How long objects of earlier snapshots stay, for servers that have not noticed yet.",
        ),
    ] = 24,
    anew: Annotated[bool, typer.Option("--anew", help="Upload what seems to be there already, too.")] = False,
) -> None:
    """Publish the newest snapshots of a gallery in object storage (extra `objects`).

    Any number of servers can serve them, each with a local copy: steam-dino serve -g ADDRESS. They show what was
    published last within seconds; searches take the same address. Nobody sees half of a publication.

    What is there already is not uploaded again. You can stop at any time; the same command continues. Paths of this
    machine are not published, and neither are decisions, problems and earlier banners, which are in the gallery's
    database. Without the pictures, servers can show Steam's own: steam-dino serve --pictures steam.

    **Examples**

        steam-dino publish s3://bucket/store

        steam-dino publish s3://bucket/store --no-pictures --grace 1
    """
    from steamdino.gallery.layout import KINDS
    from steamdino.pipeline.publish import publish as run
    from steamdino.present.cli.progress import bars
    from steamdino.present.export.banner_urls import steam_pictures

    folder = gallery.folder
    urls = {kind: steam_pictures(folder, kind).urls for kind in KINDS}
    with bars(("Pictures", "banners"), ("Snapshots", "MB")) as (sending, uploading):
        try:
            done = run(
                folder,
                address,
                pictures=pictures,
                urls=urls,
                grace=timedelta(hours=grace),
                anew=anew,
                sending=sending,
                uploading=lambda sent, total: uploading(sent // 1_000_000, total // 1_000_000),
            )
        except KeyboardInterrupt:
            note(
                "Stopped. What is shown is what was shown before; what was uploaded is kept. Run the same command to"
                " continue."
            )
            raise typer.Exit(130) from None
    pruned = f"; {done.pruned:,} objects of earlier ones removed" if done.pruned else ""
    say(
        f"Published {counted(done.snapshots, 'snapshot', 'snapshots')} of {done.games:,} games at"
        f" {address.rstrip('/')}, {done.sent / 1e6:,.1f} MB uploaded{pruned}."
    )
    if done.lacking:
        note(
            f"{counted(done.lacking, 'game lacks its picture', 'games lack their pictures')}, which cannot be read or"
            " changed after the build; run `add` and `build`, and publish again."
        )
