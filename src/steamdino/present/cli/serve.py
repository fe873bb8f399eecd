"""`steam-dino serve`: the web page and the API."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from steamdino.errors import MissingExtraError, NetworkError, NoSnapshotError, SnapshotError
from steamdino.present.cli.console import note
from steamdino.present.cli.options import GalleryOptions, PrecisionOption
from steamdino.present.cli.published import local_folder
from steamdino.recipe import Recipe
from steamdino.settings import WebSettings


def serve(
    *,
    gallery: GalleryOptions,
    host: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Address to listen on. Default: 127.0.0.1.", show_default=False),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Port to listen on; 0 is a free one. Default: 8000.", show_default=False
        ),
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
            help="Requests per minute and client address, banners and static files excepted. 0 is no limit."
            " Default: 600.",
            show_default=False,
        ),
    ] = None,
    picture_rate: Annotated[
        float | None,
        typer.Option(
            "--picture-rate",
            metavar="N",
            help="Banners and static files per minute and client address; a page has about thirty. 0 is no limit."
            " Default: 18000.",
            show_default=False,
        ),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Recipe that is public: it answers requests that name none. Default: the one built last.",
            show_default=False,
        ),
    ] = None,
    root_path: Annotated[
        str | None,
        typer.Option(
            metavar="PATH",
            help="Path below which a proxy offers the server, such as /games. Default: none, or the X-Forwarded-Prefix"
            " of a trusted proxy.",
            show_default=False,
        ),
    ] = None,
    trusted_proxies: Annotated[
        str | None,
        typer.Option(
            metavar="NETWORK...",
            help="Addresses and networks of proxies whose X-Forwarded headers are believed, separated by spaces; * for"
            " all, none for none. Default: 127.0.0.1 ::1.",
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

    New snapshots are picked up without a restart. With --recipe, a build of another recipe does not change the one that
    is public. Limits hold for all worker processes together. The gallery may be a packed snapshot. For more settings,
    see the [web] table of steamdino.toml: largest_upload, seconds, refresh.

    **Examples**

        steam-dino serve

        steam-dino serve --host 0.0.0.0 --port 80 --workers 2 --rate 120

        steam-dino serve --root-path /games --trusted-proxies 10.0.0.0/8 --recipe bundled
    """
    if any(find_spec(library) is None for library in ("fastapi", "orjson", "starlette_compress", "uvicorn")):
        raise MissingExtraError("serving", "web")
    settings = gallery.settings(precision=precision)
    web = WebSettings.load(
        {
            "host": host,
            "port": port,
            "workers": workers,
            "requests_per_minute": rate,
            "pictures_per_minute": picture_rate,
            "recipe": recipe,
            "root_path": root_path,
            "trusted_proxies": trusted_proxies,
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
    recipes = _recipes(_served_folder(settings.gallery), web.recipe)
    for one in recipes:
        check_precision(one.model, settings.inference_precision)
    web = replace(web, port=_port(web.host, web.port))
    # Each process reads its settings from the environment.
    for name, value in (
        ("gallery", settings.gallery if isinstance(settings.gallery, str) else settings.gallery.absolute()),
        ("precision", settings.inference_precision),
    ):
        os.environ[f"STEAMDINO_{name.upper()}"] = str(value)
    for name in WebSettings.__slots__:
        if str(value := getattr(web, name)):
            os.environ[f"STEAMDINO_WEB_{name.upper()}"] = str(value)
    note(f"Serving {settings.gallery} at http://{web.host}:{web.port}{web.root_path}")
    if not web.recipe and len(recipes) > 1:
        note(
            f"The recipe {recipes[0].name} is public, since it was built last; the next build of another one changes"
            f" that. To keep it, pass --recipe {recipes[0].name}"
        )
    with _counting_together() if web.workers > 1 else nullcontext():
        _run(web)


def _run(web: WebSettings) -> None:
    import uvicorn

    uvicorn.run(
        "steamdino.present.web.app:from_environment",
        factory=True,
        host=web.host,
        port=web.port,
        workers=web.workers,
        proxy_headers=False,  # the app decides whom to believe
        access_log=False,
        log_level="warning",
        server_header=False,
    )


@contextmanager
def _counting_together() -> Iterator[None]:
    """Make a folder in which all processes count, for limits and metrics that hold for all of them together."""
    with tempfile.TemporaryDirectory(prefix="steamdino-") as folder:
        for name in ("STEAMDINO_SHARED", "PROMETHEUS_MULTIPROC_DIR"):
            os.environ[name] = folder
        yield


def _served_folder(gallery: Path | str) -> Path:
    """The folder with the snapshots. Of a published gallery, what was downloaded before serves while it is away."""
    try:
        return local_folder(gallery)
    except (NetworkError, SnapshotError) as error:
        from steamdino.index.published_cache import PublishedCache

        if isinstance(gallery, Path) or (cache := PublishedCache(gallery)).is_empty:
            raise
        note(f"{error}. What was downloaded before is served meanwhile.")
        return cache.folder


def _recipes(gallery: Path, public: str) -> list[Recipe]:
    """The recipes that are served, the public one first, after its snapshot was opened.

    Raises:
        SnapshotError: there is none, or it is damaged.
    """
    from steamdino.index.snapshot_selection import newest_by_name
    from steamdino.search import Snapshot

    if gallery.is_file():
        found = {recipe.name: recipe for recipe in (Snapshot.open(gallery).recipe,)}
    else:
        Snapshot.open(gallery)
        found = {name: manifest.recipe for name, (_, manifest) in newest_by_name(gallery).items()}
    if public and public not in found:
        built = ", ".join(sorted(found))
        raise NoSnapshotError(
            f"the public recipe {public!r} has no snapshot in {gallery}; built are: {built}"
        )
    first = found.pop(public or next(iter(found)))
    return [first, *found.values()]


def _port(host: str, port: int) -> int:
    """Return a port to listen on: the given one, or a free one for 0.

    Raises:
        NetworkError: the address cannot be listened on. Uvicorn would log it and exit with another code.
    """
    import socket

    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(address)
            chosen: int = tried.getsockname()[1]
            return chosen
    except OSError as error:
        raise NetworkError(
            f"cannot listen on {host}:{port}: {error.strerror}; choose others with --host and --port"
        ) from None
