"""Files that keep all colours of what was saved are told from those that do not."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from steamdino.banners.lossless import is_lossless

PICTURE = Image.effect_noise((40, 60), 90).convert("RGB")
OTHER = Image.effect_noise((40, 60), 20).convert("RGB")


@pytest.mark.parametrize(
    ("name", "options", "lossless"),
    [
        ("a.png", {}, True),
        ("a.bmp", {}, True),
        ("a.tga", {}, True),
        ("a.jpg", {"quality": 100}, False),
        ("a.gif", {}, False),
        ("a.webp", {"lossless": True}, True),
        ("a.webp", {"quality": 100}, False),
        ("a.webp", {"lossless": True, "exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"}, True),
        ("a.webp", {"quality": 80, "save_all": True, "append_images": [OTHER]}, False),
        ("a.webp", {"lossless": True, "save_all": True, "append_images": [OTHER]}, True),
        ("a.tiff", {}, True),
        ("a.tiff", {"compression": "tiff_lzw"}, True),
        ("a.tiff", {"compression": "tiff_adobe_deflate", "big_endian": True}, True),
        ("a.tiff", {"compression": "jpeg"}, False),
    ],
)
def test_a_file_is_lossless_or_not(
    tmp_path: Path, name: str, options: dict[str, object], lossless: bool
) -> None:
    path = tmp_path / name
    PICTURE.save(path, **options)  # type: ignore[arg-type]
    with Image.open(path) as saved:
        assert saved.format is not None
        assert is_lossless(saved.format, saved.mode, path) is lossless
        if lossless:
            assert saved.convert("RGB").tobytes() == PICTURE.tobytes()


def test_a_palette_and_files_that_are_gone_or_damaged_do_not_count(tmp_path: Path) -> None:
    PICTURE.quantize(256).save(tmp_path / "a.png")
    assert not is_lossless("PNG", "P", tmp_path / "a.png")
    assert not is_lossless("WEBP", "RGB", tmp_path / "none.webp")
    for form in ("WEBP", "TIFF"):
        for content in (b"", b"RIFF", b"II*\0", b"XX" + bytes(30), b"MM\0*\0\0\0\x08\xff\xff"):
            (tmp_path / "damaged").write_bytes(content)
            assert not is_lossless(form, "RGB", tmp_path / "damaged")
