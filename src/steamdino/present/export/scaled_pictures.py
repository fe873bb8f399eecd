"""Scaled copies of pictures, named by their content, so that those of an earlier attempt or site are reused."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Protocol

from steamdino.analysis.picture_loading import each
from steamdino.present.export.jpeg_files import is_whole_jpeg
from steamdino.present.export.mosaic import thumbnail
from steamdino.present.export.output_folders import PAGE
from steamdino.storage.atomic import link_or_copy
from steamdino.storage.location import Location
from steamdino.wellformed import content_path

SIZE = (300, 450)
QUALITY = 82
DIGITS = 20
"""Of a picture's sha256 in its file's name."""

MARK = f"{SIZE[0]}x{SIZE[1]}-{QUALITY}"
"""How pictures are scaled; those of a site with another mark are not reused."""


def banner_place(sha256: str) -> str:
    """Return where in a site's folder the scaled copy of a picture lies.

    Raises:
        ValueError: the digest is not a sha256, so the path could leave the folder.
    """
    return f"banners/{content_path(sha256, '.jpg', DIGITS)}"


def earlier(folder: Path) -> Path | None:
    """Return the folder of a page that is replaced, if its pictures were scaled in the same way; else None."""
    page = folder / PAGE
    marked = page.is_file() and f'data-pictures="{MARK}"' in page.read_text("utf-8", "replace")[:4000]
    return folder if marked else None


class HasPicture(Protocol):
    """A game, or what else has a picture."""

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of its bytes."""

    @property
    def location(self) -> Location | None:
        """Return where it can be read; None if that is unknown."""


class ScaledPictures:
    """Writes scaled pictures into a site's folder, each once."""

    def __init__(self, folder: Path, earlier: Path | None, threads: int) -> None:
        """Prepare to write.

        Args:
            folder: the new site's; pictures that it has already are kept.
            earlier: a site whose pictures have the same `MARK`; None if there is none.
            threads: pictures scaled at the same time.
        """
        self._folder, self._earlier, self._threads = folder, earlier, threads

    def write(self, games: Sequence[HasPicture], written: Callable[[], None]) -> list[bool]:
        """Write the pictures of games; return whether each game has one. `written` is called after each picture."""
        different = {game.sha256: game for game in games}  # two threads must not write the same file
        made = {}
        for sha256, done in each(self._write, list(different.values()), self._threads):
            made[sha256] = done
            written()
        return [made[game.sha256] for game in games]

    def tidy(self, used: Collection[str]) -> None:
        """Remove the pictures of an earlier attempt that are not among the places in use."""
        for path in self._folder.glob("banners/*/*"):
            if path.relative_to(self._folder).as_posix() not in used:
                path.unlink()

    def _write(self, game: HasPicture) -> tuple[str, bool]:
        path = self._folder / banner_place(game.sha256)
        if is_whole_jpeg(path) or self._reuse(game, path):
            return game.sha256, True
        image = thumbnail(game.location, SIZE)
        if image is None:
            return game.sha256, False
        _complete(path, lambda unfinished: image.save(unfinished, "JPEG", quality=QUALITY))
        return game.sha256, True

    def _reuse(self, game: HasPicture, path: Path) -> bool:
        if self._earlier is None:
            return False
        earlier = self._earlier / banner_place(game.sha256)
        if not is_whole_jpeg(earlier):
            return False
        _complete(path, lambda unfinished: link_or_copy(earlier, unfinished))
        return True


def _complete(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file under another name and rename it, so that a kill leaves no half of it under its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    unfinished.unlink(missing_ok=True)
    write(unfinished)
    unfinished.replace(path)
