"""`steam-dino serve`: the web page and the API."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from steamdino.errors import MissingExtraError, NetworkError
from steamdino.present.cli.console import note
from steamdino.present.cli.options import GalleryOptions, PrecisionOption
from steamdino.settings import WebSettings


def serve(
    *,
    gallery: GalleryOptions,
    host: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Address to listen on. Default: 127.0.0.1.", show_default=False),
    ] = None,
    port: Annotated[
        int | None, typer.Option(metavar="N", help="Port to listen on. Default: 8000.", show_default=False)
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Worker processes; they share the snapshots. Default: 1.", show_default=False
        ),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            "--rate",
            metavar="N",
            help="Requests per minute, client address and process. 0 is no limit. Default: 600.",
            show_default=False,
        ),
    ] = None,
    origins: Annotated[
        str | None,
        typer.Option(
            metavar="ORIGIN...", help='Origins whose pages may use the API. "*" is all.', show_default=False
        ),
    ] = None,
    pictures: Annotated[
        str | None,
        typer.Option(
            metavar="gallery|steam", help="Source of the banners. Default: gallery.", show_default=False
        ),
    ] = None,
    fetch_urls: Annotated[
        bool | None,
        typer.Option(
            "--fetch-urls/--no-fetch-urls",
            help="Accept picture URLs on public servers as queries. Default: no.",
            show_default=False,
        ),
    ] = None,
    precision: PrecisionOption = None,
) -> None:
    """Serve the newest snapshots of a gallery as a web page and an API (extra `web`).

    The page finds games by name or picture and leads from match to match. The API is JSON, documented by OpenAPI at
    /openapi.json: /api/v1/games, /api/v1/games/ID/similar, pictures by POST to /api/v1/similar, and more. It also has
    the routes of steam-DINO's heroku-flask-api (/render/730, /similar_apps_from_id?id=730 ...). /healthz, /readyz and
    /metrics are for operators; the log is JSON lines on stderr.

    New snapshots are picked up without a restart. The gallery may be a packed snapshot. For more settings, see the
    [web] table of steamdino.toml: largest_upload, seconds, refresh.

    **Examples**

        steam-dino serve

        steam-dino serve --host 0.0.0.0 --port 80 --workers 2 --rate 120
    """
    if any(find_spec(library) is None for library in ("fastapi", "orjson", "uvicorn")):
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
    from steamdino.features.model_registry import check_precision

    # Report errors now and once, not in each process or at each request.
    for model in _models(settings.gallery):
        check_precision(model, settings.inference_precision)
    # Each process reads its settings from the environment.
    for name, value in (
        ("gallery", settings.gallery.absolute()),
        ("precision", settings.inference_precision),
    ):
        os.environ[f"STEAMDINO_{name.upper()}"] = str(value)
    for name in WebSettings.__slots__:
        if str(value := getattr(web, name)):
            os.environ[f"STEAMDINO_WEB_{name.upper()}"] = str(value)
    import uvicorn

    _check_address(web.host, web.port)
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


def _models(gallery: Path) -> list[str]:
    """The models of the snapshots that are served, after the default one was opened.

    Raises:
        SnapshotError: there is none, or it is damaged.
    """
    from steamdino.index.snapshot_selection import newest_by_name
    from steamdino.search import Snapshot

    default = Snapshot.open(gallery).recipe
    others = (
        [] if gallery.is_file() else [manifest.recipe for _, manifest in newest_by_name(gallery).values()]
    )
    return [recipe.model for recipe in (default, *others)]


def _check_address(host: str, port: int) -> None:
    """Raise an error for an address that cannot be listened on. Uvicorn logs it and exits with another code."""
    import socket

    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(address)
    except OSError as error:
        raise NetworkError(
            f"cannot listen on {host}:{port}: {error.strerror}; choose others with --host and --port"
        ) from None
