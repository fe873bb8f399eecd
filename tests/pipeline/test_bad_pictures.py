"""A folder with forty kinds of bad picture: each is told with its reason, and every good one beside it is found."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from steamdino import Snapshot
from steamdino.gallery import Gallery
from steamdino.pipeline import add, build

resource = pytest.importorskip("resource", reason="this system has no limits of that kind")

GOOD = 12
MOST_GROWTH = 120  # MB that may come on top of what good pictures take


def _photo(size: tuple[int, int] = (60, 90)) -> Image.Image:
    coarse = np.random.default_rng(5).integers(0, 256, (6, 4, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


def _encoded(format: str, image: Image.Image | None = None, **options: object) -> bytes:
    buffer = io.BytesIO()
    (image or _photo()).save(buffer, format, **options)
    return buffer.getvalue()


def _png_claiming(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 100))
        + chunk(b"IEND", b"")
    )


def _cut(data: bytes, share: float) -> bytes:
    return data[: int(len(data) * share)]


BAD: dict[str, bytes] = {
    "empty.jpg": b"",
    "one-byte.jpg": b"\xff",
    "magic-only.jpg": b"\xff\xd8\xff",
    "magic-only.png": b"\x89PNG\r\n\x1a\n",
    "magic-only.gif": b"GIF89a",
    "magic-only.webp": b"RIFF\x00\x00\x00\x00WEBP",
    "magic-only.avif": b"\0\0\0\x1cftypavif",
    "magic-only.bmp": b"BM",
    "magic-only.tif": b"II*\0",
    "html.jpg": b"<!DOCTYPE html><html>Not found</html>",
    "svg.png": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "xml.webp": b"<?xml version='1.0'?><Error>AccessDenied</Error>",
    "json.jpg": b'{"error": 404}',
    "text.png": b"Forbidden",
    "zeros.jpg": bytes(5000),
    "noise.png": bytes(np.random.default_rng(0).integers(0, 256, 5000, dtype=np.uint8)),
    "pdf.jpg": b"%PDF-1.4\n%%EOF",
    "zip.jpg": b"PK\x05\x06" + bytes(18),
    "executable.jpg": b"\x7fELF" + bytes(100),
    "eps.jpg": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "ppm.png": _encoded("PPM"),
    "ico.png": _encoded("ICO", sizes=[(16, 16)]),
    "cut-10.jpg": _cut(_encoded("JPEG"), 0.1),
    "cut-50.jpg": _cut(_encoded("JPEG", progressive=True), 0.5),
    "cut-90.jpg": _cut(_encoded("JPEG"), 0.9),
    "cut-50.png": _cut(_encoded("PNG"), 0.5),
    "cut-50.webp": _cut(_encoded("WEBP"), 0.5),
    "cut-50.gif": _cut(_encoded("GIF"), 0.5),
    "cut-50.avif": _cut(_encoded("AVIF"), 0.5),
    "cut-50.bmp": _cut(_encoded("BMP"), 0.5),
    "cut-50.tiff": _cut(_encoded("TIFF"), 0.5),
    "broken-checksum.png": _encoded("PNG")[:40] + b"\0\0\0\0" + _encoded("PNG")[44:],
    "no-pixels.png": _png_claiming(0, 0),
    "bomb-30000.png": _png_claiming(30_000, 30_000),
    "bomb-wide.png": _png_claiming(2_000_000_000, 1),
    "bomb-honest.png": _encoded("PNG", Image.new("1", (9_000, 9_000))),
    "bomb-9000.gif": _encoded("GIF", Image.new("P", (9_000, 9_000))),
    "one-pixel.png": _encoded("PNG", Image.new("RGB", (1, 1))),
    "one-row.jpg": _encoded("JPEG", Image.new("RGB", (500, 1))),
    "short-of-data.png": _png_claiming(300, 450),
}

# Each with an id of its own, whatever its suffix.
BAD = {f"{number:02}-{name}": data for number, (name, data) in enumerate(BAD.items())}


@pytest.fixture
def folder(tmp_path: Path, paint: Callable[..., Path]) -> Path:
    folder = tmp_path / "covers"
    for n in range(GOOD):
        paint(folder / f"good-{n:02}.jpg", n)
    for name, data in BAD.items():
        (folder / name).write_bytes(data)
    (folder / "folder.jpg").mkdir()
    (folder / "dangling.jpg").symlink_to(folder / "nowhere")
    (folder / "loop.jpg").symlink_to(folder / "loop.jpg")
    (folder / "device.jpg").symlink_to("/dev/zero")
    os.mkfifo(folder / "fifo.jpg")
    with (folder / "sparse.jpg").open("wb") as file:
        file.truncate(200 << 20)
    return folder


ODD = {"folder.jpg", "dangling.jpg", "loop.jpg", "device.jpg", "fifo.jpg", "sparse.jpg"}


def test_each_of_forty_bad_pictures_has_its_reason_and_every_good_one_is_found(
    folder: Path, tmp_path: Path
) -> None:
    assert len(BAD) >= 40
    gallery = tmp_path / "g"
    add(gallery, folder)
    summary = build(gallery)
    assert summary.games == GOOD
    snapshot = Snapshot.open(gallery)
    assert snapshot.ids == [f"good-{n:02}" for n in range(GOOD)]
    for game_id in snapshot.ids:
        assert len(snapshot.similar(game_id)) == 10
    with Gallery.open(gallery) as opened:
        told = {problem.id: problem.reason for _, _, problem in opened.problems.known()}
    assert set(told) == {Path(name).stem for name in {*BAD, *ODD}}
    assert all(reason and "\n" not in reason and "Traceback" not in reason for reason in told.values())
    assert build(gallery).swapped is False


def test_memory_stays_flat(folder: Path, tmp_path: Path) -> None:
    def peak(*names: str) -> float:
        """Megabytes that a process takes to read and decode files."""
        script = (
            "import sys, resource\n"
            "from pathlib import Path\n"
            "from steamdino.banners.read import read_picture\n"
            "from steamdino.errors import PictureError\n"
            "for name in sys.argv[1:]:\n"
            "    try: read_picture(Path(name))\n"
            "    except PictureError: pass\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)\n"
        )
        paths = [str(folder / name) for name in names]
        done = subprocess.run(
            [sys.executable, "-c", script, *paths], capture_output=True, text=True, check=True
        )
        return float(done.stdout)

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 0
    assert peak(*BAD, *ODD) < peak("good-00.jpg") + MOST_GROWTH
