"""A library of 2,000 pictures as people really have them, with every trouble in it at once."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageCms, ImageDraw, ImageFilter

from steamdino.picture_formats import PLUGINS

Run = Callable[..., "subprocess.CompletedProcess[str]"]

FILES = 2000
SIZE = (300, 450)


def art(seed: int, size: tuple[int, int] = SIZE) -> Image.Image:
    """Shapes on a ground."""
    dice = random.Random(seed)
    colour = lambda: tuple(dice.randrange(256) for _ in "rgb")  # noqa: E731
    image = Image.new("RGB", size, colour())
    draw = ImageDraw.Draw(image)
    for _ in range(25):
        x, y, w, h = (
            dice.randrange(size[0]),
            dice.randrange(size[1]),
            dice.randrange(20, 160),
            dice.randrange(20, 200),
        )
        shape = dice.choice([draw.ellipse, draw.rectangle])
        shape([x - w // 2, y - h // 2, x + w // 2, y + h // 2], fill=colour())
    return image


def lines(seed: int) -> Image.Image:
    """A page of words."""
    dice = random.Random(seed)
    image = Image.new("RGB", SIZE, (235, 235, 235))
    draw = ImageDraw.Draw(image)
    for y in range(20, 430, 14):
        x = 20
        while x < 270:
            w = dice.randrange(8, 40)
            draw.rectangle([x, y, x + w, y + 6], fill=(40, 40, 40))
            x += w + 7
    return image


def swapped(image: Image.Image) -> Image.Image:
    red, green, blue = image.split()
    return Image.merge("RGB", (blue, green, red))


def make_library(root: Path) -> None:
    """Draws everything. The names say what a file is."""
    for folder in ("many", "chain", "copies", "links", "moving", "colours", "flaws", "large", "other"):
        (root / folder).mkdir(parents=True)
    first, last = art(1), lines(2)
    for n in range(25):
        Image.blend(first, last, n / 24).save(root / f"chain/{n:02d}.png")

    original = art(3, (600, 900))
    original.save(root / "copies/original.png")
    original.save(root / "copies/lossy.jpg", quality=40)
    original.save(root / "copies/jpeg10.jpg", quality=10)
    for name, by in (("half", 2), ("third", 3), ("quarter", 4)):
        original.resize((600 // by, 900 // by), Image.Resampling.LANCZOS).save(
            root / f"copies/{name}.jpg", quality=90
        )
    banded = original.copy()
    draw = ImageDraw.Draw(banded)
    draw.rectangle([0, 760, 600, 840], fill=(20, 20, 20))
    draw.text((60, 770), "GOLD EDITION", fill="white", font_size=60)
    banded.save(root / "copies/edition.png")
    hue, saturation, value = original.convert("HSV").split()
    recoloured = Image.merge("HSV", (hue.point(lambda v: (v + 28) % 256), saturation, value))
    recoloured.convert("RGB").save(root / "copies/hue.png")
    art(4).save(root / "copies/cover.jpg", quality=90)
    art(4).save(root / "copies/cover.png")

    art(5).save(root / "links/target.jpg")
    (root / "links/a-link.jpg").symlink_to("target.jpg")
    os.link(root / "links/target.jpg", root / "links/hard.jpg")

    frames = [art(6), art(7), art(8)]
    frames[0].save(
        root / "moving/trailer.webp", save_all=True, append_images=frames[1:], lossless=True, duration=99
    )
    frames[0].save(root / "moving/still.png")

    look = art(9)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    other = profile.replace(b"rXYZ", b"tmpX").replace(b"bXYZ", b"rXYZ").replace(b"tmpX", b"bXYZ")
    look.save(root / "colours/look.png")
    swapped(look).save(root / "colours/same-look.png", icc_profile=other)
    swapped(look).save(root / "colours/other-look.png")

    for name, colour in (("blue", (0, 0, 255)), ("purple", (90, 0, 255))):
        vivid = Image.new("RGB", SIZE, colour)
        ImageDraw.Draw(vivid).ellipse([60, 120, 240, 330], fill=tuple(v // 2 for v in colour))
        vivid.save(root / f"flaws/vivid-{name}.png")
    art(10).point(lambda v: v // 12).save(root / "flaws/dark.png")
    art(11).point(lambda v: v // 2).save(root / "flaws/dim.png")
    art(12).filter(ImageFilter.GaussianBlur(5)).save(root / "flaws/blurred.png")
    art(13).convert("L").convert("RGB").save(root / "flaws/grey.png")
    framed = Image.new("RGB", SIZE, "white")
    framed.paste(art(14).resize((280, 430)), (10, 10))
    framed.save(root / "flaws/framed.png")
    art(15, (450, 450)).save(root / "flaws/square.png")

    art(16, (6600, 9900)).save(root / "large/scan.jpg", quality=40)
    for form, suffix in (("HEIF", "heic"), ("JXL", "jxl")):
        plugin = PLUGINS[form]
        module = pytest.importorskip(plugin.module, reason="needs the extra formats")
        if plugin.opener:
            getattr(module, plugin.opener)()
        art(17 if form == "HEIF" else 18).save(root / f"other/{suffix}.{suffix}", form, quality=95)
    for name in ("raw.nef", "drawing.svg", "layers.psd", "old.jp2"):
        (root / "other" / name).write_bytes(b"x")
    for junk in ("@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found", "__MACOSX"):
        (root / junk).mkdir()
        art(3).save(root / junk / "thumbnail.jpg")
    (root / "Thumbs.db").write_bytes(b"x")

    drawn = sum(1 for path in root.rglob("*") if path.is_file())
    for n in range(FILES - drawn):
        # Two usual formats.
        art(1000 + n, SIZE if n % 3 else (230, 310)).save(root / f"many/{n:04d}.jpg", quality=88)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    root = tmp_path_factory.mktemp("library")
    make_library(root / "pictures")
    yield root / "pictures", root / "gallery"


@pytest.mark.soak
def test_everything_that_people_have_comes_out_right_in_one_gallery(
    library: tuple[Path, Path], run: Run
) -> None:
    root, gallery = library
    assert sum(1 for path in root.rglob("*") if path.is_file()) == FILES

    added = run("add", root, "-g", gallery, timeout=900)
    assert added.returncode == 0, added.stderr
    assert "0 problems" in added.stdout
    assert (
        "Skipped junk of other programs: 1 $RECYCLE.BIN, 1 @eaDir, 1 System Volume Information"
        in added.stderr
    )
    assert "Not read: 1 RAW, 1 SVG, 1 PSD, 1 JPEG 2000." in added.stderr.replace(
        "1 JPEG 2000, 1", "1"
    ) or all(f"1 {form}" in added.stderr for form in ("RAW", "SVG", "PSD", "JPEG 2000"))
    assert run("build", "-g", gallery, timeout=900).returncode == 0

    flaws: dict[str, set[str]] = {}
    checked = json.loads(run("check", "--format", "json", "-g", gallery, timeout=900).stdout)
    for one in checked:
        flaws.setdefault(one["flaw"], set()).add(one["game_id"])
    own = {flaw: {key for key in keys if key.startswith("flaws/")} for flaw, keys in flaws.items()}
    assert own["dark"] == {"flaws/dark"}
    assert own["blurry"] == {"flaws/blurred"}
    assert own["grey"] >= {"flaws/grey"}
    assert own["border"] >= {"flaws/framed"}
    assert own["odd-aspect"] == {"flaws/square"}
    wrong = {key: flaw for flaw, keys in flaws.items() for key in keys if key.startswith("many/")}
    assert len(wrong) <= FILES / 400, wrong

    removable = set(run("duplicates", "--format", "removable", "-g", gallery, timeout=900).stdout.split())
    assert not {"chain/24", "chain/20", "chain/15"} & removable
    assert not {"links/target", "links/hard", "links/a-link"} & removable
    assert not {"moving/trailer", "moving/still"} & removable
    assert not {"copies/original", "copies/edition", "copies/hue", "colours/other-look"} & removable
    assert removable >= {"copies/lossy", "copies/half"}
    assert len({"colours/look", "colours/same-look"} & removable) == 1
    assert len({"copies/cover", "copies/cover.png"} & removable) == 1
    assert not {key for key in removable if key.startswith(("many/", "flaws/"))}
    duplicates = set(run("duplicates", "--format", "all", "-g", gallery, timeout=900).stdout.split())
    assert duplicates >= {"copies/third", "copies/quarter", "copies/jpeg10", "copies/hue"}
    assert not {key for key in duplicates if key.startswith("many/")}

    scan = run("similar", "large/scan", "-k", 1, "--format", "json", "-g", gallery)
    assert json.loads(scan.stdout)["query"]["id"] == "large/scan"
    for name in ("other/heic", "other/jxl"):
        assert run("similar", name, "-k", 1, "-g", gallery).returncode == 0
    twin = json.loads(run("similar", "colours/look", "-k", 1, "--format", "json", "-g", gallery).stdout)
    assert twin["matches"][0]["id"] == "colours/same-look"

    moved = shutil.move(root, root.with_name("elsewhere"))
    told = run("add", moved, "-g", gallery, timeout=900)
    assert (told.returncode, "--moved-from" in told.stderr) == (1, True)
    again = run("add", moved, "--moved-from", root, "-g", gallery, timeout=900)
    assert "0 new, 0 changed, " in again.stdout
    assert ", 0 missing, 0 without a banner, 0 problems" in again.stdout
    assert "Encoded" not in run("build", "-g", gallery, timeout=900).stdout
    assert (
        set(run("duplicates", "--format", "removable", "-g", gallery, timeout=900).stdout.split())
        == removable
    )
