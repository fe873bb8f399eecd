"""What a published gallery says of itself: which snapshots it shows.

::

    s3://bucket/store/
      published.json    format, and the snapshots that are shown; written last, so that readers see all of them or none
      snapshots/<recipe's hash>/<digits of the manifest's sha256>/
                        the files of a snapshot, as in a gallery; <recipe's hash>.<kind>/ for other kinds of banner
      banners/          pictures, named by their content as in a gallery
      urls/             the URLs of pictures on Steam's servers, by appID, named by the content
      unused.json       what is no longer shown, and since when

Nothing but `published.json` and `unused.json` is ever replaced. Each object holds the sha256s of those that it leads
to: `published.json` those of the manifests, and a manifest those of its files.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass

from steamdino.errors import SnapshotError
from steamdino.gallery.layout import BANNERS, KINDS, SNAPSHOTS, VERTICAL
from steamdino.index import strict_json
from steamdino.wellformed import is_sha256, shown

FORMAT = 1
CONTENTS, UNUSED = "published.json", "unused.json"

_HOME = re.compile(rf"[0-9a-f]{{12}}(\.({'|'.join(kind for kind in KINDS if kind != VERTICAL)}))?")
_OWN = re.compile(
    rf"urls/[0-9a-f]{{64}}\.json|{SNAPSHOTS}/{_HOME.pattern}/[0-9a-f]{{16}}/[a-z_]+(\.[a-z0-9]+)+|{BANNERS}/[0-9a-f]{{2}}/[0-9a-f]{{64}}(\.[a-z0-9]{{1,8}})?"
)


@dataclass(frozen=True, slots=True)
class PublishedSnapshot:
    """One snapshot that a published gallery shows.

    Attributes:
        home: the name of its recipe's folder, as in a gallery.
        manifest: the sha256 of its manifest.
    """

    home: str
    manifest: str

    def __post_init__(self) -> None:
        """Check that no part of it can lead elsewhere.

        Raises:
            ValueError: one can.
        """
        if not (isinstance(self.home, str) and _HOME.fullmatch(self.home) and is_sha256(self.manifest)):
            raise ValueError(f"{shown(self.home)}, {shown(self.manifest)} is no snapshot")

    @property
    def folder(self) -> str:
        """Where its files are, from the published gallery's address."""
        return f"{SNAPSHOTS}/{self.home}/{self.manifest[:16]}"


@dataclass(frozen=True, slots=True)
class PublishedGallery:
    """What `published.json` says.

    Attributes:
        snapshots: those that are shown.
        urls: the sha256 of the URLs of Steam's pictures, by kind of banner; empty if there are none.
    """

    snapshots: tuple[PublishedSnapshot, ...]
    urls: dict[str, str]

    @classmethod
    def from_json(cls, data: bytes, address: str) -> PublishedGallery:
        """Read it.

        Args:
            data: the object's bytes.
            address: of the object, for messages.

        Raises:
            SnapshotError: it is damaged, or a newer program wrote it.
        """
        try:
            record = strict_json.loads(data)
            if record["format"] > FORMAT:
                raise SnapshotError(
                    f"{address}: its format is {shown(record['format'])}; upgrade steam-dino to read it"
                )
            snapshots = tuple(PublishedSnapshot(one["home"], one["manifest"]) for one in record["snapshots"])
            urls = dict(record["urls"])
            if not all(kind in KINDS and is_sha256(digest) for kind, digest in urls.items()):
                raise ValueError(f"{shown(urls)} are no sha256s")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SnapshotError(f"{address} is damaged ({error}); {PUBLISH_ANEW}") from None
        return cls(snapshots, urls)

    def to_json(self) -> bytes:
        """Write it."""
        record = {
            "format": FORMAT,
            "snapshots": [asdict(one) for one in self.snapshots],
            "urls": self.urls,
        }
        return f"{json.dumps(record, indent=2)}\n".encode()


PUBLISH_ANEW = "publish it again with: steam-dino publish --anew"


def urls_of(sha256: str) -> str:
    """Return the key of URLs, after the published gallery's address."""
    return f"urls/{sha256}.json"


def is_own(key: str) -> bool:
    """Whether a key, after the published gallery's address, is of a file of a snapshot, of a picture or of URLs."""
    return _OWN.fullmatch(key) is not None
