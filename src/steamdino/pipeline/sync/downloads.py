"""Downloads banners, several at a time; each appears in its place as a whole, and is committed by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from itertools import islice
from pathlib import Path
from threading import Event

from steamdino.banners.download import Fetched, NotFound, Outcome, Unusable, fetch
from steamdino.banners.read import inspect
from steamdino.errors import NetworkError, PictureError
from steamdino.gallery import Gallery
from steamdino.gallery.steam_apps import FAILED
from steamdino.gallery.steam_assets import MISSING, DueAsset
from steamdino.net.client import Client
from steamdino.pipeline.picture_store import Keep
from steamdino.pipeline.sync.sync_request import BANNERS, Report
from steamdino.records import Banner
from steamdino.storage.location import LocalFile

UNREACHABLE = 20
"""Pictures that fail in a row before the servers count as unreachable."""

Result = tuple[DueAsset, Outcome, Banner | None]


class BannerDownloads:
    """Downloads the banners that are due."""

    def __init__(
        self,
        gallery: Gallery,
        client: Client,
        url: str,
        connections: int,
        stopped: Event,
        counts: Counter[str],
        report: Report,
        *,
        keep: Keep,
        keep_old: bool,
    ) -> None:
        self._gallery, self._client, self._url = gallery, client, url.rstrip("/")
        self._connections, self._stopped = connections, stopped
        self._counts, self._report = counts, report
        self._keep, self._keep_old = keep, keep_old
        self._done = self._failures = 0

    def run(self, kinds: Sequence[str], among: Sequence[int] | None) -> bool:
        """Download the pictures that are due; returns whether there were any.

        A picture that failed temporarily is requested once more when all others are done.
        """
        due = [asset for kind in kinds for asset in self._gallery.steam_assets.due(kind, among)]
        total = self._done + len(due)
        again: list[DueAsset] = []
        for asset, outcome, banner in self._results(iter(due)):
            if isinstance(outcome, Unusable) and outcome.passing:
                again.append(asset)
            else:
                self._commit(asset, outcome, banner)
                self._report(BANNERS, self._done, total)
        for result in self._results(iter(again), patient=True):
            self._commit(*result)
            self._report(BANNERS, self._done, total)
        return bool(due)

    def _results(self, due: Iterator[DueAsset], *, patient: bool = False) -> Iterator[Result]:
        """Yield each result as soon as it is there, with at most one request per connection in progress.

        Many failures in a row end the run, except among pictures that have failed before (`patient`).
        """
        pool = ThreadPoolExecutor(self._connections, thread_name_prefix="banner")
        try:
            waiting = {pool.submit(self._fetch, asset) for asset in islice(due, self._connections)}
            while waiting:
                finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield future.result() if patient else self._result(future)
                    waiting.update(pool.submit(self._fetch, asset) for asset in islice(due, 1))
        except BaseException:
            self._stopped.set()  # threads that wait for their turn or for a retry give up at once
            raise
        finally:
            pool.shutdown(cancel_futures=True)

    def _result(self, future: Future[Result]) -> Result:
        result = future.result()
        self._failures = self._failures + 1 if isinstance(result[1], Unusable) else 0
        if self._failures >= UNREACHABLE and isinstance(result[1], Unusable):
            raise NetworkError(
                f"{UNREACHABLE} pictures in a row could not be downloaded ({result[1].reason});"
                " run the same command to resume"
            )
        return result

    def _fetch(self, asset: DueAsset) -> Result:
        address = f"{self._url}/{asset.path}" + (f"?{asset.query}" if asset.query else "")
        outcome = fetch(self._client, address, asset.etag)
        if not isinstance(outcome, Fetched):
            return asset, outcome, None
        try:
            banner = inspect(LocalFile(Path(asset.path)), outcome.content)
        except PictureError as error:
            return asset, Unusable(str(error)), None
        copy = self._keep(banner, outcome.content.data)
        return asset, outcome, replace(banner, location=copy)

    def _commit(self, asset: DueAsset, outcome: Outcome, banner: Banner | None) -> None:
        assets = self._gallery.steam_assets
        with self._gallery.transaction():
            if banner is not None and isinstance(outcome, Fetched):
                address = f"{self._url}/{asset.path}"
                self._gallery.banners.put(
                    str(asset.appid), banner, address, asset.kind, keep_old=self._keep_old
                )
                assets.put_fetched(asset, outcome.etag)
                counted = "fetched"
            elif isinstance(outcome, Unusable):
                assets.put_unfetched(asset, FAILED, outcome.reason)
                counted = "failed"
            elif not isinstance(outcome, NotFound):
                assets.put_fetched(asset, asset.etag)
                counted = "unchanged"
            elif not asset.asked_anew:
                assets.ask_anew(asset)
                return
            elif not asset.last:
                assets.try_next(asset)
                return
            else:
                assets.put_unfetched(asset, MISSING, f"the server has no {asset.path}")
                counted = "missing"
        self._counts[counted] += 1
        self._done += 1
