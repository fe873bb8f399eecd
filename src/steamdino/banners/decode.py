"""Decodes pictures to RGB with Pillow, whatever their mode, within limits on size."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from steamdino.errors import PictureError
from steamdino.picture_formats import SUFFIXES_OF

TGA = "TGA"
TGA_HEADER = struct.Struct("<BBBHHBHHHHBB")
TGA_FOOTER = b"TRUEVISION-XFILE.\0"
MOST_PIXELS = 64_000_000  # 192 MB as RGB
LATEST = 50  # frame of an animation that is decoded: the ones before it have to be decoded, too
SMALLEST_SIDE = 8  # pixels; smaller pictures have nothing to recognise
BACKGROUND = (0, 0, 0)  # behind transparent pixels: stores and libraries show banners on a dark ground


@dataclass(frozen=True, slots=True)
class PictureHeader:
    """What a picture's header says.

    Attributes:
        width, height: pixels, with the EXIF orientation applied.
        mode, format: as Pillow names them.
    """

    width: int
    height: int
    mode: str
    format: str


def header(data: bytes) -> PictureHeader:
    """Read a picture's header.

    Raises:
        PictureError: it is not a picture of a known format, or exceeds the limits.
    """
    with _opened(data) as image:
        width, height = image.size
        if _is_turned(image):
            width, height = height, width
        return PictureHeader(width, height, image.mode, str(image.format))


def decode(data: bytes, at_least: tuple[int, int] | None = None) -> Image.Image:
    """Decode a picture to RGB, upright.

    Transparent pixels become black; 16-bit greys keep their upper 8 bits; an animation gives its first frame.

    Args:
        data: the file's bytes.
        at_least: (width, height) in pixels that are enough. A JPEG may then be decoded at 1/2, 1/4 or 1/8 of its
            size, but never smaller than this, which saves most of the time for large ones.

    Raises:
        PictureError: the picture is broken, has an unknown format, or exceeds the limits.
    """
    with _opened(data) as image:
        if at_least is not None and image.format == "JPEG":
            image.draft(None, at_least[::-1] if _is_turned(image) else at_least)
        image.load()
        return _rgb(_upright(image))


def frame(data: bytes) -> tuple[int, Image.Image | None]:
    """Count the frames of a picture, and decode one in the middle if there are several.

    Args:
        data: the file's bytes. Pages of a TIFF and pictures beside the main one of an MPO count as frames.

    Returns:
        their number, and as RGB the frame in the middle, or the one with the number `LATEST`, whichever comes first;
        None for a still picture.

    Raises:
        PictureError: as `decode`.
    """
    with _opened(data) as image:
        if not getattr(image, "is_animated", False):
            return 1, None
        count: int = image.n_frames  # type: ignore[attr-defined]
        image.seek(min(count // 2, LATEST))
        return count, _rgb(_upright(image.copy()))


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB" and not image.has_transparency_data:
        return image
    if image.mode.startswith("I"):
        levels = np.asarray(image).astype(np.int64)
        # Both I;16 and I hold 16-bit greys in files; Pillow's own conversion would clip them at 255.
        return Image.fromarray((levels.clip(0, 65535) >> 8).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        canvas = Image.new("RGBA", image.size, (*BACKGROUND, 255))
        return Image.alpha_composite(canvas, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # a broken EXIF block, of any kind, does not make the picture unreadable
        return 1


def _is_turned(image: Image.Image) -> bool:
    return 5 <= _orientation(image) <= 8


def _upright(image: Image.Image) -> Image.Image:
    turn = _TURNS.get(_orientation(image))
    return image if turn is None else image.transpose(turn)


@contextmanager
def _opened(data: bytes) -> Iterator[Image.Image]:
    try:
        with Image.open(io.BytesIO(data), formats=_candidates(data)) as image:
            _check_size(*image.size)
            yield image
    except PictureError:
        raise
    except UnidentifiedImageError:
        raise PictureError(_not_a_picture(data)) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureError(f"it has more than {MOST_PIXELS:,} pixels") from None
    except Exception as error:  # decoders raise all kinds of errors on hostile data
        raise PictureError(f"it cannot be decoded: {str(error) or type(error).__name__}") from None


def _candidates(data: bytes) -> list[str]:
    """The decoders that may try a file."""
    return [form for form in SUFFIXES_OF if form != TGA or _may_be_tga(data)]


def _may_be_tga(data: bytes) -> bool:
    """Whether a file may be passed to the TGA decoder, which accepts other formats, too: TGA has no magic number.

    An icon (.ico), for example, begins like a TGA file. Unused fields must be zero, as programs write them.
    """
    if len(data) <= TGA_HEADER.size:
        return False
    if data.endswith(TGA_FOOTER):
        return True
    _, mapped, kind, map_start, map_length, _, _, _, width, height, depth, flags = TGA_HEADER.unpack_from(
        data
    )
    kind &= ~8  # the bit of run-length encoding
    return (
        depth in {1: (8,), 2: (16, 24, 32), 3: (1, 8, 16)}.get(kind, ())
        and mapped == (kind == 1)
        and (mapped or map_start == map_length == 0)
        and min(width, height) > 0
        and flags & 0xC0 == 0
        and flags & 0x0F in (0, 1, 8)
    )


def _check_size(width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise PictureError(f"it has {width:,} x {height:,} pixels; at most {MOST_PIXELS:,} are decoded")
    if min(width, height) < SMALLEST_SIDE:
        raise PictureError(f"it has {width} x {height} pixels; each side must have at least {SMALLEST_SIDE}")


def _not_a_picture(data: bytes) -> str:
    if data.lstrip()[:1] == b"<":
        return "it is HTML or XML, not a picture"
    return f"it is not a picture of a known format ({', '.join(SUFFIXES_OF)})"
