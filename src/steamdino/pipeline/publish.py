"""Publishes a gallery: uploads its newest snapshots and their pictures to object storage.

What is uploaded is named by its content, so that the same command continues after an interrupt or a kill, and nobody
who reads what is shown meanwhile is disturbed. `index.published_gallery` says what lies where.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from steamdino.errors import PictureError, UsageError
from steamdino.gallery import layout
from steamdino.index.published_gallery import CONTENTS, UNUSED, PublishedGallery, is_own, urls_of
from steamdino.index.snapshot_selection import newest_by_name, open_newest
from steamdino.pipeline.publish_draft import PublishDraft, picture_key
from steamdino.pipeline.unused_objects import remove_unused
from steamdino.pipeline.upload import Upload
from steamdino.records import Game, Progress
from steamdino.storage import object_files
from steamdino.storage.location import Location, is_address

GRACE = timedelta(days=1)
"""How long what is no longer shown stays, for readers that have not noticed yet."""

SENDERS = 32
"""Pictures that are sent at the same time."""

PAGE = 1000
"""Games whose pictures are looked at together."""


@dataclass(frozen=True, slots=True)
class PublishSummary:
    """What `publish` did.

    Attributes:
        snapshots: how many are shown.
        games: of all of them.
        sent: bytes that were uploaded.
        lacking: games whose picture could not be read, or changed after the build.
        pruned: objects that were removed.
    """

    snapshots: int
    games: int
    sent: int
    lacking: int
    pruned: int


def publish(
    gallery: str | Path,
    address: str,
    *,
    pictures: bool = True,
    urls: Mapping[str, Mapping[str, str]] | None = None,
    grace: timedelta = GRACE,
    anew: bool = False,
    sending: Progress | None = None,
    uploading: Progress | None = None,
) -> PublishSummary:
    """Upload the newest snapshot of each recipe and kind of banner, and then say that these are shown.

    Paths of this machine are not uploaded: a picture's place becomes that of the uploaded one.

    Args:
        gallery: the gallery's folder.
        address: of a prefix in a bucket, such as ``s3://bucket/store``, that holds nothing else.
        pictures: whether to upload pictures that are files. Those in object storage stay where they are.
        urls: of pictures on Steam's servers, by kind of banner and id of the game.
        grace: how long what is no longer shown stays.
        anew: upload what seems to be there already, too.
        sending: called with (games whose pictures were looked at, games).
        uploading: called with (bytes of the snapshots that are there, bytes of the snapshots).

    Raises:
        UsageError: the address is none of object storage, or something else is there.
        NoSnapshotError: there is nothing to publish.
        NetworkError: the store refuses or does not answer. What is shown is then what was shown before.
    """
    if not is_address(address):
        raise UsageError(f"{address!r} is not an address of object storage; name one like s3://bucket/store")
    address, folder = address.rstrip("/"), Path(gallery)
    found = [place for kind in layout.KINDS for place, _ in newest_by_name(folder, kind).values()]
    if not found:
        open_newest(folder)  # raises an error with the reason
    present = dict(object_files.sizes(address))
    _check_own(address, present)
    upload = Upload(address, {} if anew else present)
    with ExitStack() as stack:
        drafts = [stack.enter_context(PublishDraft(one, address, pictures=pictures)) for one in found]
        lacking = _send_pictures(upload, drafts, sending) if pictures else 0
        report = object_files.summed(uploading, sum(draft.bytes for draft in drafts))
        for draft in drafts:
            draft.send(upload, report)
        shown = PublishedGallery(
            tuple(draft.published for draft in drafts), dict(_send_urls(upload, urls or {}))
        )
        upload.replace(CONTENTS, shown.to_json())
    pruned = remove_unused(address, present, upload.shown, grace)
    return PublishSummary(len(found), sum(map(_games, drafts)), upload.sent, lacking, pruned)


def _games(draft: PublishDraft) -> int:
    return draft.reader.manifest.games


def _check_own(address: str, present: Iterable[str]) -> None:
    """Refuse a prefix at which something else is, since what is unused there is removed later."""
    others = [key for key in present if not is_own(key) and key not in (CONTENTS, UNUSED)]
    if others and CONTENTS not in present:
        raise UsageError(f"{address} holds other objects, such as {others[0]}; name a prefix of its own")


def _send_pictures(upload: Upload, drafts: Sequence[PublishDraft], progress: Progress | None) -> int:
    """Upload the pictures that are files, each once; return how many games lack theirs."""
    total, done, lacking = sum(map(_games, drafts)), 0, 0
    with ThreadPoolExecutor(SENDERS) as pool:
        try:
            for games in _pages(drafts):
                lacking += sum(pool.map(partial(_send_picture, upload), _files(games).items()))
                done += len(games)
                if progress:
                    progress(done, total)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return lacking


def _pages(drafts: Iterable[PublishDraft]) -> Iterator[list[Game]]:
    for draft in drafts:
        count = _games(draft)
        for start in range(0, count, PAGE):
            yield draft.reader.games(list(range(start, min(start + PAGE, count))))


def _files(games: Iterable[Game]) -> dict[tuple[str, str], list[Location]]:
    """The places of the pictures that are files, by their key and their sha256."""
    found: dict[tuple[str, str], list[Location]] = {}
    for game in games:
        if game.location is not None and game.location.path is not None:
            key = picture_key(game.sha256, game.location.name)
            found.setdefault((key, game.sha256), []).append(game.location)
    return found


def _send_picture(upload: Upload, picture: tuple[tuple[str, str], list[Location]]) -> int:
    """Upload a picture that is not there; return for how many games it is lacking."""
    (key, sha256), places = picture
    if upload.has(key):
        return 0
    for place in places:
        with suppress(PictureError):
            content = place.read()
            if content.sha256 == sha256:
                upload.put(key, content.data, len(content.data))
                return 0
    return len(places)


def _send_urls(upload: Upload, urls: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    """Upload URLs; yield each kind of banner and their sha256."""
    for kind, of_games in urls.items():
        if of_games:
            content = json.dumps(of_games).encode()
            sha256 = hashlib.sha256(content).hexdigest()
            upload.put(urls_of(sha256), content, len(content))
            yield kind, sha256
