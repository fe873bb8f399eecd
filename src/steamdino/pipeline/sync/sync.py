"""Runs the stages of `sync` in order, over one gallery."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from threading import Event

from steamdino.banners.read import inspect
from steamdino.catalogue.steam.web_api import BATCH, Place, SteamApi
from steamdino.errors import NoGalleryError, PictureError, QueryError
from steamdino.gallery import Gallery
from steamdino.net.client import Client, ClientPolicy, host_of
from steamdino.pipeline.picture_store import keep, keeper, lost
from steamdino.pipeline.sync.countries import Countries
from steamdino.pipeline.sync.details import Details
from steamdino.pipeline.sync.downloads import BannerDownloads
from steamdino.pipeline.sync.listing import Listing
from steamdino.pipeline.sync.sync_request import Report, SyncRequest, SyncSummary
from steamdino.settings import SteamSettings

STORE = "https://store.steampowered.com"
ASSET_HOSTS = tuple(f"shared.{part}steamstatic.com" for part in ("akamai.", "fastly.", "cloudflare.", ""))
PICTURE_BYTES = 80_000
"""About the size of a banner of 300 x 450."""


@dataclass(frozen=True, slots=True)
class SyncEstimate:
    """What a run would do.

    Attributes:
        apps: number of apps to request details of.
        pictures: number of pictures to download, at most.
        requests: approximate number of requests.
        seconds: approximate duration at the rates of the settings.
        disk: approximate size in bytes.
    """

    apps: int
    pictures: int
    requests: int
    seconds: float
    disk: int


def sync(
    gallery: str | Path, wanted: SyncRequest, steam: SteamSettings, report: Report | None = None
) -> SyncSummary:
    """Bring a gallery up to date with Steam's store. If it is stopped at any moment, the next run continues from there.

    Args:
        gallery: its folder; created if it does not exist.
        wanted: what to bring up to date.
        steam: servers, rates and other settings.
        report: called with (stage, done, total).

    Raises:
        BlockedError: Steam refuses this client; what was committed stays.
        NetworkError: Steam cannot be reached, or its reply makes no sense.
        GalleryError: the gallery cannot be written to.
        OutputError: the object storage for the pictures cannot be written to.
        SourceError: it cannot be listed.
    """
    report = report or (lambda stage, done, total: None)
    counts: Counter[str] = Counter()
    stopped = Event()
    with ExitStack() as stack:
        opened = stack.enter_context(Gallery.write(gallery, "sync", create=True))
        stack.callback(stopped.set)
        client = stack.enter_context(client_of(steam, stopped, steam.rate, 1))
        images = stack.enter_context(client_of(steam, stopped, steam.banner_rate, steam.connections))
        api = api_of(client, steam)
        countries = Countries(opened.steam_apps, steam.country_codes)
        kept = keeper(opened.root, steam.pictures)
        missing = lost(opened)
        counts["lost"] = len(missing)
        with opened.transaction():
            source = opened.games.put_store("steam", STORE)
            opened.steam_assets.lose(missing)
            if wanted.retry_failed:
                opened.steam_apps.retry_failed()
            opened.steam_apps.include_types(wanted.include)
            countries.begin(whole=wanted.is_whole)
        listing = Listing(opened, api, wanted, counts, report)
        details = Details(opened, api, source, _place(steam), countries, wanted, counts, report)
        if listing.is_new:
            details.run(None)  # left by an earlier run; a list is read down to games that were asked about
        among, complete = listing.run()
        pictures = BannerDownloads(
            opened,
            images,
            steam.assets_url,
            steam.connections,
            stopped,
            counts,
            report,
            keep=kept,
            keep_old=wanted.keep_old,
        )
        while True:  # a missing picture makes its game's details due again, once
            details.run(among)
            if not pictures.run(wanted.kinds, among):
                break
        with opened.transaction():
            opened.games.end_scan(source)
        counts["kept"] = details.kept
        return SyncSummary(
            counts,
            opened.steam_apps.outcomes(wanted.kinds[0]),
            opened.steam_apps.other_types(),
            client.requests + images.requests,
            complete and not details.kept,
        )


def estimate(gallery: str | Path, wanted: SyncRequest, steam: SteamSettings) -> SyncEstimate:
    """Estimate what `sync` would do, from one request to Steam and the gallery's database; nothing is written.

    Raises:
        GalleryError: there is a gallery, and it cannot be read.
    """
    known = due = pictures = again = 0
    try:
        with Gallery.open(gallery) as opened:
            known, due = opened.steam_apps.count(), len(opened.steam_apps.due_apps(wanted.appids))
            wanting = {
                (one.appid, kind)
                for kind in wanted.kinds
                for one in opened.steam_assets.due(kind, wanted.appids)
            }
            wanting |= {one for one in lost(opened) if wanted.appids is None or one[0] in wanted.appids}
            pictures = len(wanting)
    except NoGalleryError:
        pass  # the run creates one
    with client_of(steam, Event(), steam.rate, 1) as client:
        api = api_of(client, steam)
        if wanted.appids is not None:
            apps = len(wanted.appids)
        elif wanted.top:
            apps = min(wanted.top, len(api.most_played()))
        else:
            total = api.query(0, wanted.include, 1, released=wanted.released_only).total or 0
            apps = min(wanted.limit, total) if wanted.limit else max(total - known, 0) + due
            again = total if wanted.full and not wanted.limit else 0
    fetched = apps * len(wanted.kinds) + pictures
    apps = max(apps, again)  # their pictures are kept
    calls = ceil(apps / BATCH) + (0 if wanted.appids is not None or wanted.top else ceil(apps / 1000))
    seconds = calls / (steam.rate or 100) + fetched / (steam.banner_rate or 100)
    return SyncEstimate(apps, fetched, calls + fetched, seconds, fetched * PICTURE_BYTES)


def fetch_one(gallery: str | Path, appid: int, steam: SteamSettings, kind: str) -> Path:
    """Download one game's details and banner; returns the banner's file.

    If pictures are kept in object storage, the file is a copy that no game uses, which `prune` removes.

    Raises:
        QueryError: Steam has no such game, or no banner of it.
        NetworkError, GalleryError: as for `sync`.
    """
    sync(gallery, SyncRequest(appids=(appid,), kinds=(kind,)), steam)
    with Gallery.open(gallery) as opened:
        own = opened.games.from_stores([str(appid)])  # a folder may have a game of the same id
        found = opened.banners.location(str(appid), kind) if own else None
        reasons = [reason for one, _, reason, _ in opened.steam_apps.each_outcome(kind) if one == appid]
        if found is None:
            raise QueryError(
                f"Steam has no banner of {appid}: {reasons[0] if reasons and reasons[0] else 'none is named'}"
            )
        if found.path is not None:
            return found.path
        try:
            content = found.read()
        except PictureError as error:
            raise QueryError(f"the banner of {appid} cannot be read: {error}") from None
        return keep(opened.root, inspect(found, content), content.data, "fetched").path


def client_of(steam: SteamSettings, stopped: Event, rate: float, connections: int) -> Client:
    """Make a client that keeps to the rates of the settings and contacts Steam's servers only."""
    hosts = (host_of(steam.api_url), host_of(steam.assets_url), *ASSET_HOSTS)
    manners = ClientPolicy(rate, connections, steam.backoff, steam.tries, steam.timeout, steam.user_agent)
    return Client(hosts, manners, stopped)


def api_of(client: Client, steam: SteamSettings) -> SteamApi:
    """Steam's Web API over a client."""
    return SteamApi(client, steam.api_url, _place(steam), steam.key)


def _place(steam: SteamSettings) -> Place:
    return Place(steam.language, steam.country_codes[0])
