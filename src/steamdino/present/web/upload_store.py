"""Uploaded pictures and their audits, kept for follow-up requests: for a while, in a folder that all workers share.

Only the browser that sent a picture can name it, by a secret in a cookie. The file's name is a digest of that secret,
so neither the folder nor a link or a log tells how to ask for a picture.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
import stat
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

from PIL import Image

from steamdino.errors import OutputError

LOG = logging.getLogger("steamdino.web")

SIZE = (600, 900)
"""Pixels at most: the size of Steam's banners."""
QUALITY = 92
"""JPEG quality."""
MOST = 1000
"""Files that are kept at most; the oldest go first. Of Steam's size, pictures take some 200 MB."""
SWEEP = 60.0
"""Seconds between two looks for pictures whose time is up."""
PICTURE, AUDIT = ".jpg", ".html"
"""Endings of the files of a picture and of the page of its audit."""


class UploadStore:
    """Uploaded pictures of one gallery's servers on this machine. Threads and processes may share the folder.

    Attributes:
        seconds: how long a picture is kept.
    """

    def __init__(self, gallery: Path, seconds: float) -> None:
        """Prepare; no folder is made yet.

        Args:
            gallery: what is served; each has a folder of its own, below the system's folder for temporary files.
            seconds: how long a picture is kept; 0 keeps none.
        """
        user = os.getuid() if hasattr(os, "getuid") else 0
        name = hashlib.sha256(str(gallery.absolute()).encode(errors="surrogateescape")).hexdigest()[:16]
        self._folder = Path(tempfile.gettempdir()) / f"steamdino-uploads-{user}-{name}"
        self.seconds = seconds
        self._stop = threading.Event()

    def put(self, secret: bytes, image: Image.Image) -> None:
        """Keep a picture, scaled down and re-encoded, without anything else that its file held.

        Raises:
            OutputError: it cannot be stored.
        """
        if not self.seconds:
            return
        image = image.copy()
        image.thumbnail(SIZE, Image.Resampling.LANCZOS)
        encoded = io.BytesIO()
        image.save(encoded, "JPEG", quality=QUALITY)
        self._write(self._path(secret, PICTURE), encoded.getvalue())

    def put_audit(self, secret: bytes, page: bytes) -> None:
        """Keep the page of a picture's audit, which depends on more of the file than is kept.

        Raises:
            OutputError: it cannot be stored.
        """
        if self.seconds:
            self._write(self._path(secret, AUDIT), page)

    def _write(self, path: Path, content: bytes) -> None:
        try:
            self._make_folder()
            self.sweep()
            descriptor, unfinished = tempfile.mkstemp(dir=self._folder, suffix=".part")
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            Path(unfinished).replace(path)
        except OSError as error:
            raise OutputError(
                f"uploads cannot be kept in {self._folder}: {error.strerror}; see keep_uploads in [web]"
            ) from None

    def find(self, secret: bytes) -> Path | None:
        """Return the file of a picture; None if its time is up, or another machine has it."""
        return self._find(self._path(secret, PICTURE))

    def find_audit(self, secret: bytes) -> Path | None:
        """Return the page of a picture's audit; None as for `find`."""
        return self._find(self._path(secret, AUDIT))

    def _find(self, path: Path) -> Path | None:
        try:
            return path if time.time() - path.stat().st_mtime < self.seconds else None
        except OSError:
            return None

    def sweep(self) -> None:
        """Delete the files whose time is up, and the oldest if there are too many."""
        found = []
        with suppress(OSError):
            for path in self._folder.iterdir():
                with suppress(OSError):  # another process was faster
                    found.append((path.stat().st_mtime, path))
        found.sort()
        oldest = time.time() - self.seconds
        for number, (made_at, path) in enumerate(found):
            if made_at < oldest or len(found) - number > MOST:
                with suppress(OSError):
                    path.unlink()

    def watch(self) -> None:
        """Start to delete files in time, until `close`, even if no others arrive."""

        def look() -> None:
            while True:
                self.sweep()
                if self._stop.wait(min(SWEEP, max(self.seconds, 1))):
                    return

        threading.Thread(target=look, name="uploads", daemon=True).start()

    def close(self) -> None:
        """Stop deleting."""
        self._stop.set()

    def _path(self, secret: bytes, ending: str) -> Path:
        return self._folder / (hashlib.sha256(b"file " + secret).hexdigest() + ending)

    def _make_folder(self) -> None:
        """Make the folder, for this user only.

        Raises:
            OSError: somebody else made it, or something in its place.
        """
        with suppress(FileExistsError):
            self._folder.mkdir(mode=0o700)
        found = self._folder.lstat()
        others = hasattr(os, "getuid") and (found.st_uid != os.getuid() or found.st_mode & 0o077)
        if not stat.S_ISDIR(found.st_mode) or others:
            raise PermissionError(1, "it belongs to somebody else, or others can read it")
