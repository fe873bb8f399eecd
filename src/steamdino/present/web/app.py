"""The FastAPI app: routes, limits, and shared state."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route

from steamdino import __version__
from steamdino.net.public_fetch import fetch_public
from steamdino.present.export.banner_urls import SteamPictures, steam_pictures
from steamdino.present.web import (
    analysis_api,
    api,
    api_matches,
    banner_routes,
    changes_api,
    changes_feed,
    changes_pages,
    curator_pages,
    duplicates_pages,
    error_responses,
    game_pages,
    legacy_pages,
    legacy_routes,
    list_pages,
    mixture_pages,
    own_picture,
    picture_sending,
    reference_pages,
    service_routes,
    static,
)
from steamdino.present.web.api_models import Links
from steamdino.present.web.compiled_routes import CompiledRoutes
from steamdino.present.web.compression import Compression
from steamdino.present.web.concurrency import FETCHING, ConcurrencyLimit
from steamdino.present.web.curator import ATTEMPTS, Curator
from steamdino.present.web.deadline import left
from steamdino.present.web.etags import mark
from steamdino.present.web.freed_memory import return_freed_memory
from steamdino.present.web.limits import LIMITS, Limits
from steamdino.present.web.metrics import Metrics
from steamdino.present.web.middleware import Middleware
from steamdino.present.web.openapi_document import DocumentedApp
from steamdino.present.web.picture_cache import PictureCache
from steamdino.present.web.proxies import TrustedProxies
from steamdino.present.web.rate_limit import LocalLimiter, SharedLimiter
from steamdino.present.web.redraw import Redraw
from steamdino.present.web.root_path import RootPath
from steamdino.present.web.snapshot_registry import SnapshotRegistry
from steamdino.present.web.upload_store import UploadStore
from steamdino.settings import Settings, WebSettings
from steamdino.storage.cache import cache_folder
from steamdino.storage.picture_limits import set_picture_limits

SHARED = "STEAMDINO_SHARED"
"""The environment variable that names the folder in which all processes of the server count requests together."""
CROSS_ORIGIN: dict[str, Any] = {
    "allow_methods": ("GET", "HEAD", "POST"),
    "allow_headers": ("Cache-Control", "If-Modified-Since", "If-None-Match", "X-Requested-With"),
    "expose_headers": ("ETag", "Link", "RateLimit", "RateLimit-Policy", "Retry-After"),
    "max_age": 7200,  # the most that browsers keep it for
}
"""What pages of other origins may send and read."""
LONGEST_FETCH = 10.0
"""Seconds in which a picture must be fetched from its address, however long the request may take."""

DESCRIPTION = """Which game banners look alike, and how alike. A similarity is a cosine of embeddings, at most 1; a
percentile is the percentage of pairs of the gallery's banners that are less similar. Errors are
`application/problem+json` (RFC 9457)."""


def create_app(
    settings: Settings,
    web: WebSettings,
    *,
    fetch: Callable[[str], bytes] | None = None,
    shared: Path | None = None,
) -> FastAPI:
    """Create the app for a gallery or a packed snapshot.

    Args:
        settings: their `gallery` is served.
        web: the settings of the server.
        fetch: returns the picture at an address; by default from public servers, if the settings allow it.
        shared: a folder in which all processes of the server count requests together; None for a single process.

    Raises:
        SnapshotError: there is no snapshot.
    """
    set_picture_limits(settings.picture_limits)
    served = SnapshotRegistry(settings, web)
    uploads = UploadStore(served.folder, web.keep_uploads)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        served.watch()
        uploads.watch()
        yield
        uploads.close()
        served.close()

    app = DocumentedApp(
        title="steam-dino",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.served = served
    app.state.uploads = uploads
    app.state.curator = Curator(web.curator_token)
    app.state.attempts = (
        SharedLimiter(shared / LIMITS, "tokens", ATTEMPTS) if shared else LocalLimiter(ATTEMPTS)
    )
    online = steam_pictures(served.folder, "vertical") if web.pictures == "steam" else SteamPictures()
    app.state.addresses = Links(online)
    app.state.program = program = mark(settings, web, online.urls)
    app.state.metrics = Metrics(web.workers if shared else 1)
    app.state.redraw = Redraw(_picture_cache(web))
    if fetch is None and web.fetch_urls:
        fetch = partial(_fetch, largest=web.largest_upload)
    app.state.fetch = fetch
    app.state.fetching = ConcurrencyLimit(FETCHING, "with fetching other pictures", 5)
    routers = (
        api_matches.router,
        api.router,
        analysis_api.router,
        changes_api.router,
        legacy_routes.router,
        banner_routes.router,
        service_routes.router,
        static.router,
        changes_feed.router,
        changes_pages.router,
        picture_sending.router,
        own_picture.router,
        mixture_pages.router,
        duplicates_pages.router,
        curator_pages.router,
        list_pages.router,
        game_pages.router,
        legacy_pages.router,
        reference_pages.router,
    )
    for router in routers:
        app.include_router(router)
    error_responses.install(app)
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    others = [route for route in app.routes if isinstance(route, Route)]
    # From the one next to the routes outwards: each sees the answers of those before it.
    app.add_middleware(CompiledRoutes, routes=routes)
    app.add_middleware(Limits, web=web, version=lambda: f"{served.version}-{program}", shared=shared)
    app.add_middleware(Compression)
    if web.origins:
        app.add_middleware(CORSMiddleware, allow_origins=web.origins.split(), **CROSS_ORIGIN)
    app.add_middleware(Middleware, metrics=app.state.metrics, picture_hosts=tuple(online.hosts))
    app.add_middleware(RootPath, root_path=web.root_path, routes=[*routes, *others])
    app.add_middleware(TrustedProxies, trusted=web.proxies)
    return app


def _picture_cache(web: WebSettings) -> PictureCache:
    """Return the cache of scaled pictures, in the platform's cache folder unless the settings name one."""
    shared = cache_folder()
    folder = Path(web.picture_cache).expanduser() if web.picture_cache else shared and shared / "pictures"
    return PictureCache(folder, web.picture_cache_bytes, web.workers)


def _fetch(url: str, *, largest: int) -> bytes:
    """Fetch a picture within the time that is left for its request."""
    return fetch_public(url, largest=largest, seconds=min(left(), LONGEST_FETCH))


def from_environment() -> FastAPI:
    """Create the app from ``STEAMDINO_...`` variables alone, as each of several processes does."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    log = logging.getLogger("steamdino.web")
    log.handlers, log.propagate = [handler], False
    log.setLevel(logging.INFO)
    return_freed_memory()
    shared = os.environ.get(SHARED)
    return create_app(Settings.load({}), WebSettings.load({}), shared=Path(shared) if shared else None)


_JSON = json.JSONEncoder(ensure_ascii=False)


class JsonLines(logging.Formatter):
    """A formatter of log lines as JSON objects, one per line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as a line of JSON."""
        facts = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "process": record.process,
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            facts["error"] = self.formatException(record.exc_info)
        return _JSON.encode(facts)
