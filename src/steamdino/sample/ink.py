"""Render letter masks on a banner: bending, texture, shadow, block, outline, glow, fill, ornament."""

from __future__ import annotations

from zlib import crc32

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from steamdino.sample.canvas import HEIGHT, SCALE, WIDTH, Canvas
from steamdino.sample.glyphs import Line
from steamdino.sample.lettering_style import Style
from steamdino.sample.palette import Colour, Palette, darker, lighter, luminance, mix

_HARD = [min(255, level * 6) for level in range(256)]
_SPREAD = 24  # pixels of air around the letters, for their shadows and bends


def lay_down(
    canvas: Canvas, placed: list[tuple[Line, float, float]], style: Style, colours: Palette, *, main: bool
) -> None:
    """Put set lines, each with its left and top in banner units, onto the canvas; `main` bends them too."""
    top = round(min(y for _, _, y in placed) * SCALE) - _SPREAD * 3
    bottom = round(max(y + line.height / SCALE for line, _, y in placed) * SCALE) + _SPREAD * 3
    mask = Image.new("L", (WIDTH * SCALE, bottom - top))
    for line, x, y in placed:
        spot = (round(x * SCALE) - line.pad, round(y * SCALE) - line.pad - top)
        mask.paste(line.mask, spot, line.mask)
    if main:
        mask = _bent(_textured(mask, style.texture, placed, top), style)
    faded = 0.0 if luminance(colours.title) < 0.4 else 0.35
    ink = colours.title if main else mix(colours.title, colours.light, faded)
    dark = darker(mix(colours.near, colours.sky[0], 0.3), 0.45)
    if luminance(ink) < 0.4:
        dark = lighter(colours.sky[-1], 0.55)
    _behind(canvas, mask, top, style, ink, dark, colours, main)
    if main and style.fill == "outline":
        # Remove what is deeper inside the letters than a line's width.
        inner = mask.filter(ImageFilter.GaussianBlur(2.2)).point(
            [max(0, level - 200) * 5 for level in range(256)]
        )
        mask = ImageChops.subtract(mask, inner)
    canvas.image.paste(_filled(mask, placed, top, style, ink, colours, main), (0, top), mask)
    if not main:
        _ornament(canvas, placed[0], style, ink)


def _behind(
    canvas: Canvas,
    mask: Image.Image,
    top: int,
    style: Style,
    ink: Colour,
    dark: Colour,
    colours: Palette,
    main: bool,
) -> None:
    shadow = style.shadow if main or not style.shadow else max(0.6, style.shadow)
    if shadow:
        soft = _soft(mask, 7.0).point([min(255, round(level * 1.7 * shadow)) for level in range(256)])
        canvas.image.paste(dark, (0, top + 4), soft)
    if style.glow:
        soft = _soft(mask, 9.0)
        tint = colours.accent if main else colours.light
        light = Image.merge(
            "RGB",
            [
                soft.point([min(255, round(level * part / 255 * style.glow * 1.5)) for level in range(256)])
                for part in tint
            ],
        )
        box = (0, max(0, top), WIDTH * SCALE, min(HEIGHT * SCALE, top + mask.height))
        light = light.crop((0, box[1] - top, WIDTH * SCALE, box[3] - top))
        canvas.image.paste(ImageChops.screen(canvas.image.crop(box), light), box[:2])
    if main and style.depth:
        block = darker(mix(colours.accent, colours.near, 0.35), 0.25)
        for step in range(round(style.depth * SCALE), 0, -2):
            canvas.image.paste(block, (round(step * 0.5), top + step), mask)
    if style.outline:
        # A blur with a hard threshold gives a rim with round corners, ten times as fast as a maximum filter.
        rim = mask.filter(ImageFilter.GaussianBlur(1.2 + style.outline * 12)).point(_HARD)
        canvas.image.paste(dark, (0, top), rim)


def _soft(mask: Image.Image, radius: float) -> Image.Image:
    small = mask.reduce(4).filter(ImageFilter.GaussianBlur(radius / 4))
    return small.resize(mask.size, Image.Resampling.BILINEAR)


def _filled(
    mask: Image.Image,
    placed: list[tuple[Line, float, float]],
    top: int,
    style: Style,
    ink: Colour,
    colours: Palette,
    main: bool,
) -> Image.Image:
    fill = style.fill if main else "solid"
    if fill in ("solid", "outline"):
        return Image.new("RGB", mask.size, ink)
    rows = np.arange(mask.height)[:, None]
    shades = np.tile(np.array(ink, dtype=np.float32), (mask.height, 1))
    for line, _, y in placed:
        start, height = y * SCALE - top, max(1.0, line.height)
        part = np.clip((rows - start) / height, 0, 1)
        inside = ((rows >= start - 6) & (rows <= start + height + 6))[:, 0]
        if fill == "fade":
            steps = [lighter(ink, 0.3), ink, mix(ink, colours.accent, 0.55)]
            stops = [0.0, 0.4, 1.0]
        else:
            steps = [
                lighter(ink, 0.75),
                mix(ink, colours.light, 0.4),
                darker(mix(ink, colours.accent, 0.45), 0.35),
                mix(ink, colours.light, 0.25),
                lighter(ink, 0.5),
            ]
            stops = [0.0, 0.47, 0.53, 0.75, 1.0]
        table = np.array(steps, dtype=np.float32)
        ramp = np.stack([np.interp(part[:, 0], stops, table[:, channel]) for channel in range(3)], axis=-1)
        shades[inside] = ramp[inside]
    return Image.fromarray(shades.astype(np.uint8)[:, None, :]).resize(mask.size, Image.Resampling.NEAREST)


def _bent(mask: Image.Image, style: Style) -> Image.Image:
    if style.slant:
        middle = mask.height / 2
        mask = mask.transform(
            mask.size,
            Image.Transform.AFFINE,
            (1, style.slant, -style.slant * middle, 0, 1, 0),
            Image.Resampling.BILINEAR,
        )
    if style.rise:
        middle = mask.width / 2
        mask = mask.transform(
            mask.size,
            Image.Transform.AFFINE,
            (1, 0, 0, style.rise, 1, -style.rise * middle),
            Image.Resampling.BILINEAR,
        )
    if style.arc:
        levels = np.asarray(mask)
        across = np.linspace(-1, 1, mask.width)
        drops = np.round((across**2 - 0.35) * style.arc * SCALE).astype(int)
        rows = (np.arange(mask.height)[:, None] - drops[None, :]) % mask.height
        mask = Image.fromarray(np.take_along_axis(levels, rows, axis=0))
    return mask


def _textured(
    mask: Image.Image, texture: str, placed: list[tuple[Line, float, float]], top: int
) -> Image.Image:
    if texture not in ("worn", "brush", "cut"):
        return mask
    if texture == "cut":
        levels = np.array(mask)
        for line, _, y in placed:
            start = round(y * SCALE + line.height * 0.56) - top
            levels[start : start + 3] = 0
        return Image.fromarray(levels)
    numbers = np.random.default_rng(crc32(placed[0][0].text.encode()))
    shape = (mask.height // 3, mask.width // 3) if texture == "worn" else (mask.height // 3, mask.width // 50)
    noise = Image.fromarray(numbers.integers(0, 256, shape, dtype=np.uint8))
    noise = noise.resize(mask.size, Image.Resampling.BICUBIC)
    bite = 22 if texture == "worn" else 40
    keep = noise.point([0 if level < bite else min(255, (level - bite) * 5) for level in range(256)])
    return ImageChops.multiply(mask, keep)


def _ornament(canvas: Canvas, placed: tuple[Line, float, float], style: Style, ink: Colour) -> None:
    line, x, y = placed
    width, height = line.width / SCALE, line.height / SCALE
    middle = y + height / 2
    if style.ornament in ("rules", "diamond") and style.align != "left":
        reach = min(58.0, x - 30)
        if reach > 8:
            for side, start in ((-1, x - 10), (1, x + width + 10)):
                canvas.line([(start, middle), (start + side * reach, middle)], ink, 1.2, 0.8)
                if style.ornament == "diamond":
                    tip = start + side * reach
                    canvas.polygon(
                        [(tip - 3, middle), (tip, middle - 3), (tip + 3, middle), (tip, middle + 3)], ink
                    )
    elif style.ornament == "bar" and len(line.text) > 3:
        canvas.rectangle((x, y - 6, x + min(width, 46), y - 4), ink, 0.9)
