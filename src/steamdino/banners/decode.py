"""Decodes pictures to RGB with Pillow, whatever their mode, within limits on size."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile, jpeg_factory

from steamdino.banners.colour import to_srgb
from steamdino.banners.plugins import plugin_form, register
from steamdino.errors import PictureError
from steamdino.installation import extra_command
from steamdino.picture_formats import PLUGINS, SUFFIXES_OF
from steamdino.recipe import SRGB
from steamdino.storage.picture_limits import picture_limits

JPEG_START = b"\xff\xd8\xff"
TGA = "TGA"
TGA_HEADER = struct.Struct("<BBBHHBHHHHBB")
TGA_FOOTER = b"TRUEVISION-XFILE.\0"
LATEST = 50  # frame of an animation that is decoded: the ones before it have to be decoded, too
SMALLEST_SIDE = 8  # pixels; smaller pictures have nothing to recognise
REDUCED = 16
"""How many times as many pixels as may be decoded a JPEG may have. Even a part of them takes seconds to decode."""
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


def decode(data: bytes, at_least: tuple[int, int] | None = None, *, colours: str = SRGB) -> Image.Image:
    """Decode a picture to RGB, upright.

    Transparent pixels become black; 16-bit greys keep their upper 8 bits; an animation gives its first frame.

    Args:
        data: the file's bytes.
        at_least: (width, height) in pixels that are enough. A JPEG may then be decoded at 1/2, 1/4 or 1/8 of its
            size, but never smaller than this, which saves most of the time for large ones. A JPEG of more pixels than
            `picture_limits` allows is always decoded at the largest of these sizes that it allows.
        colours: as in `recipe.Transform`.

    Raises:
        PictureError: the picture is broken, has an unknown format, or exceeds the limits.
    """
    with _opened(data) as image:
        if isinstance(image, JpegImageFile):
            _reduce(image, at_least)
        image.load()
        return _rgb(_upright(image), colours)


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
        _check_pixels(*image.size)
        image.load()
        return count, _rgb(_upright(image.copy()), SRGB)


def _rgb(image: Image.Image, colours: str) -> Image.Image:
    if image.mode.startswith("I"):
        levels = np.asarray(image).astype(np.int64)
        # Both I;16 and I hold 16-bit greys in files; Pillow's own conversion would clip them at 255.
        grey = Image.fromarray((levels.clip(0, 65535) >> 8).astype(np.uint8))
        grey.info = {key: value for key, value in image.info.items() if key != "transparency"}
        image = grey
    if colours == SRGB:
        image = to_srgb(image)
    if image.mode == "RGB" and not image.has_transparency_data:
        return image
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
        with _open(data) as image:
            _check_sides(*image.size)
            if not (isinstance(image, JpegImageFile) and _reduction(image)):
                _check_pixels(*image.size)
            yield image
    except PictureError:
        raise
    except UnidentifiedImageError:
        raise PictureError(_not_a_picture(data)) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureError(f"it has more than {picture_limits().pixels:,} pixels{_ADVICE}") from None
    except Exception as error:  # decoders raise all kinds of errors on hostile data
        told = str(error).strip().partition("\n")[0].rstrip()
        raise PictureError(f"it cannot be decoded: {told or type(error).__name__}") from None


def _candidates(data: bytes) -> list[str]:
    """The decoders that may try a file."""
    plugin = plugin_form(data)
    known = [form for form in SUFFIXES_OF if form not in PLUGINS or form == plugin]
    return [form for form in known if form != TGA or _may_be_tga(data)]


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


def _open(data: bytes) -> Image.Image:
    if data.startswith(JPEG_START):
        # Image.open refuses by all pixels that the header names, and here only a part of them may be decoded.
        with suppress(SyntaxError):  # it only begins like one
            return jpeg_factory(io.BytesIO(data))
    if form := plugin_form(data):
        register(form)
    if Image.MAX_IMAGE_PIXELS is not None:
        Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS, picture_limits().pixels)
    return Image.open(io.BytesIO(data), formats=_candidates(data))


def _reduction(image: JpegImageFile) -> int:
    """The least number by which the sides of a JPEG must be divided to be within the limits; 0 if there is none."""
    most, (width, height) = picture_limits().pixels, image.size
    if width * height > REDUCED * most:
        return 0
    if width * height > most and image.info.get("progressive"):
        # All of its coefficients are in memory, of two bytes each, before the first pixel is decoded.
        largest = max(h * v for _, h, v, _ in image.layer)
        if width * height * sum(h * v / largest for _, h, v, _ in image.layer) > 3 * most:
            return 0
    return next((by for by in (1, 2, 4, 8) if -(-width // by) * -(-height // by) <= most), 0)


def _reduce(image: JpegImageFile, at_least: tuple[int, int] | None) -> None:
    by, (width, height) = _reduction(image), image.size
    if at_least is not None and _is_turned(image):
        at_least = at_least[::-1]
    if at_least is not None or by > 1:
        enough = at_least or image.size
        image.draft(None, (min(enough[0], width // by), min(enough[1], height // by)))


_ADVICE = "; scale it down, or raise the setting largest_picture"


def _check_pixels(width: int, height: int) -> None:
    if width * height > (most := picture_limits().pixels):
        raise PictureError(f"it has {width:,} x {height:,} pixels; at most {most:,} are decoded{_ADVICE}")


def _check_sides(width: int, height: int) -> None:
    if min(width, height) < SMALLEST_SIDE:
        raise PictureError(f"it has {width} x {height} pixels; each side must have at least {SMALLEST_SIDE}")


def _not_a_picture(data: bytes) -> str:
    if data.lstrip()[:1] == b"<":
        return "it is HTML or XML, not a picture"
    if (form := plugin_form(data)) and not PLUGINS[form].is_installed:
        return f"it is {PLUGINS[form].label}; to read that, run: {extra_command('formats')}"
    return f"it is not a picture of a known format ({', '.join(SUFFIXES_OF)})"
