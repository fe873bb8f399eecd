"""Encode a painted banner as a file, with the defects that a store may add."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw

from steamdino.sample.canvas import HEIGHT, WIDTH
from steamdino.sample.painting import focus, paint_banner
from steamdino.sample.truth import Job

_QUALITY = 88
_ROTATED = 6  # EXIF: the stored picture must be rotated a quarter turn clockwise
_HTML = b"<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>\n"


def banner_bytes(job: Job) -> bytes:
    """Return the file of one game's banner; a game without one has b""."""
    match job.game.defect:
        case "missing":
            return b""
        case "blank":
            return _jpeg(Image.new("RGB", (WIDTH, HEIGHT), job.variant))
        case "broken" if job.variant == "html":
            return _HTML
        case "reencoded":
            original = Image.open(io.BytesIO(_jpeg(paint_banner(job.order))))
            return _jpeg(original, 58)
    return _encoded(job, paint_banner(job.order))


def _encoded(job: Job, banner: Image.Image) -> bytes:
    match job.game.defect:
        case "mirrored":
            return _jpeg(banner.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
        case "greyscale":
            return _jpeg(banner.convert("L"))
        case "cmyk":
            return _jpeg(banner.convert("CMYK"))
        case "large":
            return _jpeg(banner.resize((WIDTH * 2, HEIGHT * 2), Image.Resampling.LANCZOS))
        case "horizontal":
            top = round(focus(job.order) / HEIGHT * 690) - 65
            return _jpeg(banner.resize((460, 690), Image.Resampling.LANCZOS).crop((0, top, 460, top + 215)))
        case "rotated":
            exif = Image.Exif()
            exif[0x0112] = _ROTATED
            return _jpeg(banner.transpose(Image.Transpose.ROTATE_90), exif=exif)
        case "broken":
            whole = _jpeg(banner)
            return whole[: len(whole) * 2 // 5]
        case "alpha":
            mask = Image.new("L", banner.size)
            ImageDraw.Draw(mask).rounded_rectangle((4, 4, WIDTH - 5, HEIGHT - 5), 26, fill=255)
            banner.putalpha(mask)
            return _png(banner)
        case "palette":
            return _png(banner.quantize(16, dither=Image.Dither.NONE))
    return _jpeg(banner)


def _jpeg(banner: Image.Image, quality: int = _QUALITY, exif: Image.Exif | None = None) -> bytes:
    buffer = io.BytesIO()
    banner.save(buffer, "JPEG", quality=quality, exif=exif if exif is not None else b"")
    return buffer.getvalue()


def _png(banner: Image.Image) -> bytes:
    buffer = io.BytesIO()
    banner.save(buffer, "PNG")
    return buffer.getvalue()
