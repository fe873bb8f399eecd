"""The settings: one record for the program, one for Steam, one for the web server, one for `check`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from steamdino.errors import UsageError
from steamdino.settings.sources import (
    CHECK,
    DUPLICATES,
    FILE,
    KEY,
    REPLACES,
    STEAM,
    WEB,
    Found,
    changed,
    made,
    merged,
)
from steamdino.settings.values import ENVIRONMENT, FROM_FILE, Prefix, checked, country_codes, networks, shown
from steamdino.storage.picture_limits import PictureLimits
from steamdino.thresholds import DuplicateThresholds, Thresholds

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

STEAM_API_HOSTS = ("api.steampowered.com", "partner.steam-api.com")
"""The hosts to which a key may be sent without being named by the user."""

_STEAM_ADDRESS = re.compile(
    # In ASCII: elsewhere a dotless i is an i in the other case, and another host.
    rf"https://({'|'.join(map(re.escape, STEAM_API_HOSTS))})(:443)?(/.*)?",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings that all commands share.

    Attributes:
        gallery: the gallery's folder, or the address of a published gallery, such as ``s3://bucket/store``.
        recipe: the recipe that `build` uses; searches take the newest snapshot's unless one is named.
        device: the device that encodes: "cpu", "cuda" or "mps".
        inference_precision: "f32", "bf16" or "auto" (bf16 on CPUs that support it); its key is "precision".
        threads: number of pictures decoded at the same time; 0 for one per core.
        keep_old: whether `sync` and `add` keep the gallery's copies of banners that are replaced.
        index: the search index that `build` writes: "exact", "quantised" or "auto" (by the number of games).
        neighbours: how many nearest neighbours of each game `build` stores; 0 for none.
        engine: what `build` encodes with: "local", or "ray" for a cluster.
        ray_address: of the cluster: "auto", "host:port" or "ray://host:port"; empty for one that is started on this
            machine.
        largest_file: bytes of a picture's file at most.
        largest_picture: pixels of a picture that are decoded at most; a JPEG may have up to 16 times as many, and is
            decoded at a part of its size then.
        actors: processes of the cluster that encode; 0 for as many as it has cores or GPUs.
    """

    gallery: Path | str = Path("gallery")
    recipe: str = "bundled"
    device: str = "cpu"
    inference_precision: str = field(default="f32", metadata={KEY: "precision"})
    threads: int = 0
    keep_old: bool = False
    index: str = "auto"
    neighbours: int = 100
    engine: str = "local"
    ray_address: str = ""
    actors: int = 0
    largest_file: int = PictureLimits().file
    largest_picture: int = PictureLimits().pixels

    @property
    def picture_limits(self) -> PictureLimits:
        """Return the limits on pictures."""
        return PictureLimits(self.largest_file, self.largest_picture)

    @property
    def folder(self) -> Path:
        """The gallery's folder, for what a published gallery does not have.

        Raises:
            UsageError: a published gallery is named.
        """
        if isinstance(self.gallery, str):
            raise UsageError(
                f"{self.gallery} is a published gallery, which can be searched and served only; for this, name the"
                " folder of a gallery with -g"
            )
        return self.gallery

    @classmethod
    def load(
        cls, flags: Mapping[str, Any], environ: Mapping[str, str] = os.environ, folder: Path | None = None
    ) -> Settings:
        """Merge flags (None: not given), the environment and the file.

        Raises:
            UsageError: the file cannot be parsed, or a value has the wrong type.
        """
        return made(cls, merged(cls, flags, environ, folder, table="", prefix="STEAMDINO_"))

    def with_flags(self, flags: Mapping[str, Any]) -> Settings:
        """Return these settings with flags (None: not given), without reading the file and the environment again.

        Raises:
            UsageError: a value has the wrong type.
        """
        return changed(self, flags)


@dataclass(frozen=True, slots=True)
class SteamSettings:
    """How to send requests to Steam; the defaults are gentle.

    Attributes:
        key: key of Steam's Web API, from ``STEAM_API_KEY``; never printed, logged or stored. Empty for none.
        api_url: address of the Web API.
        assets_url: address of the folder with the games' pictures.
        language: language of names and tags.
        countries: codes of countries, separated by commas: first the main one, whose prices are stored, then those in
            which games are requested that are hidden in the ones before.
        rate: maximum number of calls of the Web API per second; 0 for no limit.
        banner_rate: maximum number of pictures per second; 0 for no limit.
        connections: number of pictures fetched at the same time.
        backoff: seconds before a request is repeated for the first time; doubled for each further repetition.
        tries: maximum number of tries of one request.
        timeout: seconds for one request as a whole.
        user_agent: the User-Agent header; with a mail address in it, Steam can write to you instead of blocking you.
        pictures: the prefix in object storage where banners are kept; empty for the gallery's folder.
    """

    key: str = field(default="", repr=False)
    api_url: str = "https://api.steampowered.com"
    assets_url: str = "https://shared.akamai.steamstatic.com/store_item_assets"
    language: str = "english"
    countries: str = field(default="US,DE", metadata={REPLACES: ("country", "other_country")})
    rate: float = 1.0
    banner_rate: float = 10.0
    connections: int = 6
    backoff: float = 15.0
    tries: int = 6
    timeout: float = 60.0
    user_agent: str = "steam-dino (visual search for game banners)"
    pictures: Prefix = ""

    @property
    def country_codes(self) -> tuple[str, ...]:
        """Return the codes of `countries`, in capitals."""
        return country_codes(self.countries)

    @classmethod
    def load(
        cls, flags: Mapping[str, Any], environ: Mapping[str, str] = os.environ, folder: Path | None = None
    ) -> SteamSettings:
        """Merge flags (None: not given), the environment and the file's table ``[steam]``.

        The file in the current folder may be a stranger's, so it cannot redirect a key from the environment.

        Raises:
            UsageError: the file cannot be parsed, a value has the wrong type, or the file would send a key from the
                environment to a server that is not Steam's.
        """
        found = merged(cls, flags, environ, folder, table=STEAM, prefix="STEAMDINO_STEAM_")
        if key := environ.get("STEAM_API_KEY"):
            found["key"] = Found(checked("STEAM_API_KEY", "key", key, "str", ENVIRONMENT), ENVIRONMENT)
        _check_destination_of_key(found, (folder or Path()) / FILE)
        return made(cls, found)


@dataclass(frozen=True, slots=True)
class WebSettings:
    """The settings of `serve`; the defaults suit one's own machine.

    Attributes:
        host, port: the address to listen on.
        workers: number of processes; they share the snapshots.
        requests_per_minute: maximum number of requests per minute from one address to all processes together, banners
            and static files excepted; 0 for no limit.
        pictures_per_minute: the same for banners and static files, of which a page has about thirty.
        largest_upload: maximum size of an uploaded picture in bytes.
        seconds: maximum duration of one request.
        refresh: seconds between checks for a newer snapshot.
        origins: origins whose pages may use the API in a browser, separated by spaces; "*" for all.
        pictures: source of the banners on pages: "gallery", or "steam" if `sync` recorded their addresses.
        fetch_urls: whether a query may be the address of a picture, which the server then fetches. Private addresses
            are always refused.
        curator_token: with it, people decide about duplicates on the page; empty: nobody does.
        keep_uploads: seconds for which an uploaded picture is kept for follow-up requests; 0 to keep none.
        recipe: the recipe that answers where a request names none; empty for the one that was built last.
        root_path: the path below which a proxy offers the server, such as "/games"; empty for the proxy's own word, if
            it is trusted, or for none.
        trusted_proxies: addresses and networks of proxies whose X-Forwarded-For, -Proto, -Host and -Prefix are
            believed, separated by spaces; "*" for all, "none" for none.
        picture_cache: folder for scaled banners; empty for one in the platform's cache folder.
        picture_cache_bytes: maximum size of that folder; 0 to cache none.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    requests_per_minute: float = 600.0
    pictures_per_minute: float = 18000.0
    largest_upload: int = 10 << 20
    seconds: float = 30.0
    refresh: float = 5.0
    origins: str = ""
    pictures: str = "gallery"
    fetch_urls: bool = False
    keep_uploads: float = 3600.0
    curator_token: str = field(default="", repr=False)
    recipe: str = ""
    root_path: str = ""
    trusted_proxies: str = "127.0.0.1 ::1"

    @property
    def proxies(self) -> tuple[IPv4Network | IPv6Network, ...] | str:
        """Return the networks of `trusted_proxies`, or "*"."""
        return networks(self.trusted_proxies)

    picture_cache: str = ""
    picture_cache_bytes: int = 512 << 20

    @classmethod
    def load(
        cls, flags: Mapping[str, Any], environ: Mapping[str, str] = os.environ, folder: Path | None = None
    ) -> WebSettings:
        """Merge flags (None: not given), the environment and the file's table ``[web]``.

        Raises:
            UsageError: the file cannot be parsed, or a value has the wrong type.
        """
        return made(cls, merged(cls, flags, environ, folder, table=WEB, prefix="STEAMDINO_WEB_"))


@dataclass(frozen=True, slots=True)
class CheckSettings(Thresholds):
    """The thresholds of `check` and `audit`."""

    @classmethod
    def load(
        cls, flags: Mapping[str, Any], environ: Mapping[str, str] = os.environ, folder: Path | None = None
    ) -> CheckSettings:
        """Merge flags (None: not given), the environment and the file's table ``[check]``.

        Raises:
            UsageError: the file cannot be parsed, or a value is not a number from 0 to 1.
        """
        return made(cls, merged(cls, flags, environ, folder, table=CHECK, prefix="STEAMDINO_CHECK_"))


@dataclass(frozen=True, slots=True)
class DuplicateSettings(DuplicateThresholds):
    """The thresholds of `duplicates`."""

    @classmethod
    def load(
        cls, flags: Mapping[str, Any], environ: Mapping[str, str] = os.environ, folder: Path | None = None
    ) -> DuplicateSettings:
        """Merge flags (None: not given), the environment and the file's table ``[duplicates]``.

        Raises:
            UsageError: the file cannot be parsed, or a value is not a number of its range.
        """
        return made(
            cls, merged(cls, flags, environ, folder, table=DUPLICATES, prefix="STEAMDINO_DUPLICATES_")
        )


def _check_destination_of_key(found: Mapping[str, Found], path: Path) -> None:
    key, address = found.get("key"), found.get("api_url")
    if key is None or address is None or key.origin == FROM_FILE or address.origin != FROM_FILE:
        return
    if not _STEAM_ADDRESS.fullmatch(address.value):
        raise UsageError(
            f"{path}, [{STEAM}]: api_url is {shown(address.value)}, which is not Steam's, and a file does not decide"
            " where your key goes; set STEAMDINO_STEAM_API_URL to that address, or unset STEAM_API_KEY"
        )
