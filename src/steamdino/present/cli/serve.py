"""`steam-dino serve`: the page and the API."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import Annotated

import typer

from steamdino.errors import MissingExtraError
from steamdino.present.cli.console import note
from steamdino.present.cli.options import GalleryOptions, PrecisionOption
from steamdino.settings import WebSettings


def serve(
    *,
    gallery: GalleryOptions,
    host: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Where to listen. Default: 127.0.0.1.", show_default=False),
    ] = None,
    port: Annotated[int | None, typer.Option(metavar="N", help="Default: 8000.", show_default=False)] = None,
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", help="Processes that share the snapshots. Default: 1.", show_default=False),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            "--rate",
            metavar="N",
            help="Requests a minute of one address to one process; 0: no limit. Default: 600.",
            show_default=False,
        ),
    ] = None,
    origins: Annotated[
        str | None,
        typer.Option(metavar="ORIGIN...", help='Whose pages may use the API; "*": all.', show_default=False),
    ] = None,
    pictures: Annotated[
        str | None,
        typer.Option(
            metavar="gallery|steam", help="Where banners come from. Default: gallery.", show_default=False
        ),
    ] = None,
    fetch_urls: Annotated[
        bool | None,
        typer.Option(
            "--fetch-urls/--no-fetch-urls",
            help="Let queries be addresses of pictures on public servers. Default: no.",
            show_default=False,
        ),
    ] = None,
    precision: PrecisionOption = None,
) -> None:
    """Serve a gallery's newest snapshots as a page and an API (extra `web`).

    The page finds games by name or picture and leads from match to match. The API is JSON, documented by OpenAPI at
    /openapi.json: /api/v1/games, /api/v1/games/ID/similar, pictures by POST to /api/v1/similar, and more. The routes of
    steam-DINO's heroku-flask-api (/render/730, /similar_apps_from_id?id=730 ...) are there, too. /healthz, /readyz and
    /metrics are for those who run it; the log is JSON lines on stderr.

    A newer snapshot is picked up without a restart. A packed snapshot can be named as the gallery. Further settings
    stand in steamdino.toml under [web]: largest_upload, seconds, refresh.

    **Examples**

        steam-dino serve

        steam-dino serve --host 0.0.0.0 --port 80 --workers 2 --rate 120
    """
    if find_spec("fastapi") is None or find_spec("uvicorn") is None:
        raise MissingExtraError("serving", "web")
    settings = gallery.settings(precision=precision)
    web = WebSettings.load(
        {
            "host": host,
            "port": port,
            "workers": workers,
            "requests_per_minute": rate,
            "origins": origins,
            "pictures": pictures,
            "fetch_urls": fetch_urls,
        }
    )
    # A search is one product of a matrix and a vector: more threads for it only wait for each other. NumPy reads this
    # when it is loaded.
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    from steamdino.search import Snapshot

    Snapshot.open(settings.gallery)  # says now what is wrong, once and not in each process
    # Each process reads its settings from the environment.
    for name, value in (("gallery", settings.gallery.absolute()), ("precision", settings.precision)):
        os.environ[f"STEAMDINO_{name.upper()}"] = str(value)
    for name in WebSettings.__slots__:
        if str(value := getattr(web, name)):
            os.environ[f"STEAMDINO_WEB_{name.upper()}"] = str(value)
    import uvicorn

    note(f"Serving {settings.gallery} at http://{web.host}:{web.port}")
    uvicorn.run(
        "steamdino.present.web.app:from_environment",
        factory=True,
        host=web.host,
        port=web.port,
        workers=web.workers,
        access_log=False,
        log_level="warning",
        server_header=False,
    )
