"""Scaled pictures on disk: bounded, shared, and made again where they are damaged."""

from __future__ import annotations

import io
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import httpx2 as httpx
import pytest
from PIL import Image

import steamdino
from steamdino import Snapshot
from steamdino.present.web import redraw
from steamdino.present.web.picture_cache import CHECKSUM, TOUCHED, PictureCache
from steamdino.present.web.redraw import JPEG, WEBP, preferred

WEBP_FIRST = "image/avif,image/webp,image/apng,image/*,*/*;q=0.8"


def bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def name(number: int) -> str:
    return f"{number:064x}"[::-1]


def test_a_picture_that_was_kept_is_there_for_all(tmp_path: Path) -> None:
    one, other = (PictureCache(tmp_path / "c", 1 << 20, 2) for _ in range(2))
    assert one.get(name(1)) is None
    one.put(name(1), b"picture")
    assert one.get(name(1)) == other.get(name(1)) == b"picture"
    assert other.get(name(2)) is None


@pytest.mark.parametrize(("seed", "limit"), [(0, 8_000), (1, 9_999), (2, 12_000)])
def test_all_files_together_stay_below_the_limit(tmp_path: Path, seed: int, limit: int) -> None:
    folder, random = tmp_path / "cache", Random(seed)
    processes = [PictureCache(folder, limit, 3) for _ in range(3)]
    most = 0
    for turn in range(300):
        number = random.randrange(100)
        random.choice(processes).put(name(number), bytes([number]) * random.randint(1, 320))
        most = max(most, bytes_in(folder)) if turn % 5 == 0 else most
    assert limit // 2 < most <= limit
    for number in range(100):
        assert set(processes[0].get(name(number)) or bytes([number])) == {number}


def test_the_least_recently_used_pictures_are_removed_first(tmp_path: Path) -> None:
    cache = PictureCache(tmp_path, 10_000)
    for number in range(8):
        cache.put(name(number), b"x" * 1000)
        long_ago = time.time() - 100 * TOUCHED + number
        os.utime(tmp_path / name(number)[:2] / name(number), (long_ago, long_ago))
    assert cache.get(name(0)) and cache.get(name(2))  # used again
    fresh = PictureCache(tmp_path, 10_000)
    for number in range(8, 11):
        fresh.put(name(number), b"x" * 1000)
    left = [number for number in range(11) if cache.get(name(number))]
    assert bytes_in(tmp_path) <= 10_000
    assert {0, 2, 8, 9, 10} <= set(left)
    assert 1 not in left
    assert left == sorted(left)


@pytest.mark.parametrize("damage", [b"", b"\0", b"picture", b"picturX" + b"\0" * CHECKSUM])
def test_a_damaged_file_is_no_picture_and_is_replaced(tmp_path: Path, damage: bytes) -> None:
    cache = PictureCache(tmp_path, 1 << 20)
    cache.put(name(1), b"picture")
    path = tmp_path / name(1)[:2] / name(1)
    path.write_bytes(damage)
    assert cache.get(name(1)) is None
    cache.put(name(1), b"picture")
    assert cache.get(name(1)) == b"picture"


def test_what_a_killed_process_left_is_removed_after_a_while(tmp_path: Path) -> None:
    (tmp_path / "ab").mkdir()
    old, new = tmp_path / "ab" / ".new-0", tmp_path / "ab" / ".new-1"
    for path in (old, new):
        path.write_bytes(b"x" * 6000)
    os.utime(old, (0, 0))
    PictureCache(tmp_path, 10_000).put(name(1), b"picture")
    assert (old.exists(), new.exists()) == (False, True)


def test_a_folder_that_cannot_be_written_to_costs_the_cache_only(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for folder, limit in ((tmp_path / "file" / "c", 1000), (None, 1000), (tmp_path / "c", 0)):
        cache = PictureCache(folder, limit)
        for _ in range(2):
            cache.put(name(1), b"x")
            assert cache.get(name(1)) is None
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (WEBP_FIRST, WEBP),
        ("image/webp", WEBP),
        ("text/html, IMAGE/WEBP ;q=0.1", WEBP),
        ("image/webp;q=0", JPEG),
        ("image/webp; q=0.000", JPEG),
        ("*/*", JPEG),
        ("image/*", JPEG),
        ("", JPEG),
        ("image/webpx", JPEG),
    ],
)
def test_webp_goes_to_clients_that_name_it(accept: str, expected: str) -> None:
    assert preferred(accept) == expected


def test_a_banner_is_sent_as_the_client_accepts_it(web: httpx.Client) -> None:
    address = web.get("/api/v1/games/neonoir").json()["picture"]
    plain, modern = web.get(address), web.get(address, headers={"accept": WEBP_FIRST})
    for got, form in ((plain, "JPEG"), (modern, "WEBP")):
        assert got.headers["vary"] == "Accept"
        assert got.headers["content-type"] == f"image/{form.lower()}"
        with Image.open(io.BytesIO(got.content)) as image:
            assert (image.format, image.size) == (form, (300, 450))
    assert len(modern.content) < 0.8 * len(plain.content)
    assert plain.headers["etag"] != modern.headers["etag"]
    known = {"if-none-match": modern.headers["etag"]}
    assert web.get(address, headers={"accept": WEBP_FIRST, **known}).status_code == 304
    assert web.get(address, headers=known).status_code == 200  # it is another picture to this client
    for width in redraw.WIDTHS:
        with Image.open(io.BytesIO(web.get(address.replace("/300/", f"/{width}/")).content)) as image:
            assert image.width == min(width, 300)
    assert web.get(address.replace("/300/", "/299/")).status_code == 404


@pytest.fixture
def scaled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The widths of all pictures that are scaled."""
    widths: list[int] = []
    draw = redraw.encoded

    def counting(data: bytes, width: int, media_type: str) -> bytes:
        widths.append(width)
        return draw(data, width, media_type)

    monkeypatch.setattr(redraw, "encoded", counting)
    return widths


def test_a_banner_is_scaled_once_for_all_servers(
    built: Path, serve: Callable[..., Any], scaled: list[int], tmp_path: Path
) -> None:
    def answers() -> list[bytes]:
        running = serve(built, picture_cache=str(tmp_path / "c"))
        return [running.client.get("/banners/200/neonoir").content for _ in range(3)]

    first = answers()
    assert len(set(first + answers())) == 1
    assert scaled == [200]
    for path in (tmp_path / "c").rglob("*"):
        if path.is_file() and path.name != ".lock":
            path.write_bytes(path.read_bytes()[:-100])
    assert set(answers()) == set(first)
    assert scaled == [200, 200]


def test_a_picture_that_changed_or_was_removed_is_never_served_from_the_cache(
    gallery_with_pictures: Path, serve: Callable[..., Any], tmp_path: Path
) -> None:
    picture = Snapshot.open(gallery_with_pictures).game("neonoir").picture
    assert picture is not None
    picture.write_bytes(picture.read_bytes())  # a file of its own, not a link to another test's
    running = serve(gallery_with_pictures, picture_cache=str(tmp_path / "c"))
    address = running.client.get("/api/v1/games/neonoir").json()["picture"]
    before = running.client.get(address)
    assert before.headers["cache-control"].endswith("immutable")

    Image.new("RGB", (300, 450), "red").save(picture.with_suffix(".new"), "JPEG")
    picture.with_suffix(".new").replace(picture)
    for _ in range(2):
        changed = running.client.get(address)
        with Image.open(io.BytesIO(changed.content)) as image:
            assert image.convert("RGB").getpixel((150, 200))[0] > 250
        assert changed.headers["cache-control"] == "no-store"
    picture.unlink()
    assert running.client.get(address).status_code == 404


def test_a_game_that_left_the_gallery_has_no_picture_anymore(
    tmp_path: Path, paint: Callable[..., Path], serve: Callable[..., Any]
) -> None:
    for number in range(3):
        paint(tmp_path / "in" / f"{number}.png", number)
    steamdino.add(tmp_path / "g", tmp_path / "in")
    steamdino.build(tmp_path / "g")
    running = serve(tmp_path / "g", picture_cache=str(tmp_path / "c"))
    assert running.client.get("/banners/150/1").status_code == 200
    (tmp_path / "in" / "1.png").unlink()
    steamdino.add(tmp_path / "g", tmp_path / "in")
    steamdino.build(tmp_path / "g")
    deadline = time.monotonic() + 10
    while running.client.get("/banners/150/1").status_code != 404:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert any(path.is_file() for path in (tmp_path / "c").rglob("*"))
    shutil.rmtree(tmp_path / "c")
    assert running.client.get("/banners/150/2").status_code == 200  # an emptied cache is filled again
