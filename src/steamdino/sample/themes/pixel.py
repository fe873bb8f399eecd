"""Pixel art: everything on a coarse grid, with sprites grown from symmetrical random cells."""

from __future__ import annotations

import math
from random import Random

from PIL import Image, ImageDraw

from steamdino.sample.canvas import HEIGHT, SCALE, WIDTH, Canvas
from steamdino.sample.lettering_style import Style
from steamdino.sample.palette import Colour, Palette, darker, lighter, mix, palette
from steamdino.sample.themes.theme import Brief, Theme

_COLUMNS, _ROWS = 60, 90


def paint(canvas: Canvas, brief: Brief) -> None:
    """Paint a platform level, a shower of invaders, a dungeon room or a lonely island."""
    p, own = brief.colours, brief.own
    grid = Image.new("RGB", (_COLUMNS, _ROWS))
    pen = ImageDraw.Draw(grid)
    focus = round(brief.focus / 5)
    bands = 9
    for band in range(bands):
        place = band / (bands - 1) * (len(p.sky) - 1)
        low = min(len(p.sky) - 2, int(place))
        shade = mix(p.sky[low], p.sky[low + 1], place - low)
        pen.rectangle((0, band * 10, 59, band * 10 + 9), fill=shade)
        for x in range(band % 2, 60, 2):  # a dithered edge between two bands
            pen.point((x, band * 10 - 1), fill=shade)
    hero = _sprite(brief.series, p)
    layout = brief.scene(
        "jump bounc quest turnip sprout",
        "invader arcade beetle",
        "dungeon goblin tower slime ghost bat",
        "blob island inn",
    )
    (_platforms, _invaders, _dungeon, _island)[layout](grid, pen, brief, focus, hero)
    canvas.image.paste(grid.resize((WIDTH * SCALE, HEIGHT * SCALE), Image.Resampling.NEAREST))
    for _ in range(3):
        canvas.glow(own.uniform(0, 300), own.uniform(0, 300), 120, p.light, 0.14)


def _sprite(rng: Random, p: Palette, size: int = 12) -> Image.Image:
    """Grow a creature: random cells in the left half, denser in the middle, mirrored, outlined, with eyes."""
    sprite = Image.new("RGBA", (size, size))
    half = size // 2
    cells = [[False] * half for _ in range(size)]
    for y in range(1, size - 1):
        for x in range(1, half):
            reach = math.hypot(half - 0.5 - x, (y - size / 2) * 0.85)
            cells[y][x] = reach < half * 0.62 or rng.random() < 0.62 - reach / size * 0.5
    for y in range(size):
        for x in range(half):
            near = any(
                0 <= y + dy < size and 0 <= x + dx < half and cells[y + dy][x + dx]
                for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0))
            )
            shade: Colour | None = None
            if cells[y][x]:
                part = y / size
                shade = (
                    lighter(p.accent, 0.35)
                    if part < 0.35
                    else p.accent
                    if part < 0.7
                    else darker(p.accent, 0.3)
                )
            elif near:
                shade = darker(p.near, 0.6)
            if shade:
                sprite.putpixel((x, y), (*shade, 255))
                sprite.putpixel((size - 1 - x, y), (*shade, 255))
    eye = rng.randint(4, 5)
    for x in (half - 2, size - 1 - half + 2):
        sprite.putpixel((x, eye), (255, 255, 255, 255))
        sprite.putpixel((x, eye + 1), (12, 10, 20, 255))
    for x in (half - 1, half):
        sprite.putpixel((x, eye + 3), (*darker(p.near, 0.5), 255))
    return sprite


def _put(grid: Image.Image, sprite: Image.Image, x: int, y: int, times: int = 1) -> None:
    big = sprite.resize((sprite.width * times, sprite.height * times), Image.Resampling.NEAREST)
    grid.paste(big, (x - big.width // 2, y - big.height), big)


def _platforms(
    grid: Image.Image, pen: ImageDraw.ImageDraw, brief: Brief, focus: int, hero: Image.Image
) -> None:
    p, own = brief.colours, brief.own
    _sun(pen, own.randint(12, 48), focus - 18, own.randint(5, 8), p)
    for depth, shade in enumerate((p.far, mix(p.far, p.near, 0.5))):
        level = focus + 2 + depth * 7
        for x in range(_COLUMNS):
            level += own.choice((-1, 0, 0, 1)) if x % 2 else 0
            pen.line((x, level, x, 89), fill=shade)
    ground = focus + 18
    for x, y, width in (
        (0, ground, 60),
        (own.randint(2, 10), focus + 3, 14),
        (own.randint(36, 44), focus - 7, 13),
    ):
        for step in range(x, x + width):
            pen.line(
                (step, y, step, y + (89 if y == ground else 3)),
                fill=p.near if (step // 3) % 2 else mix(p.near, p.far, 0.2),
            )
            pen.line((step, y, step, y + 1 + step * 7 % 3 % 2), fill=p.light)
    for x in range(4, 58, 6):
        if own.random() < 0.6:
            y = own.randint(focus - 16, focus + 10)
            pen.ellipse((x, y, x + 2, y + 3), fill=lighter(p.light, 0.4), outline=p.accent)
    _put(grid, hero, own.randint(20, 40), ground, 2 - brief.number % 2)
    _put(grid, hero.transpose(Image.Transpose.FLIP_LEFT_RIGHT), own.randint(44, 50), focus - 7)


def _invaders(
    grid: Image.Image, pen: ImageDraw.ImageDraw, brief: Brief, focus: int, hero: Image.Image
) -> None:
    p, own = brief.colours, brief.own
    for _ in range(70):
        pen.point((own.randrange(60), own.randrange(90)), fill=mix(p.far, p.light, own.random()))
    for row in range(2 + brief.number % 2):
        for column in range(4):
            _put(grid, hero, 9 + column * 14, focus - 12 + row * 14 + column % 2)
    x, y = own.randint(18, 42), focus + 28
    for width, rise in ((9, 0), (9, 1), (7, 2), (3, 3), (1, 4), (1, 5)):
        pen.line((x - width // 2, y - rise, x + width // 2, y - rise), fill=p.light)
    for shot in range(2):
        pen.line((x + shot * 4 - 2, y - 9 - shot * 5, x + shot * 4 - 2, y - 11 - shot * 5), fill=p.accent)


def _dungeon(
    grid: Image.Image, pen: ImageDraw.ImageDraw, brief: Brief, focus: int, hero: Image.Image
) -> None:
    p, own = brief.colours, brief.own
    for row in range(0, 90, 5):
        for column in range(-6, 60, 9):
            left = column + (row // 5 % 2) * 4
            shade = mix(p.near, p.far, own.uniform(0.1, 0.6))
            pen.rectangle((left, row, left + 7, row + 3), fill=shade)
            pen.line((left, row, left + 7, row), fill=lighter(shade, 0.15))
    pen.rectangle((14, focus - 16, 45, focus + 20), fill=darker(p.near, 0.55))
    pen.pieslice((14, focus - 30, 45, focus - 2), 180, 360, fill=darker(p.near, 0.55))
    for x in (7, 52):
        for reach, shade in ((4, mix(p.near, p.light, 0.35)), (2, p.light), (1, lighter(p.light, 0.6))):
            pen.ellipse((x - reach, focus - 8 - reach, x + reach, focus - 8 + reach), fill=shade)
        pen.line((x, focus - 5, x, focus + 1), fill=darker(p.near, 0.3))
    pen.rectangle((0, focus + 20, 59, 89), fill=darker(p.near, 0.25))
    for x in range(0, 60, 4):
        pen.point((x, focus + 20), fill=p.far)
    _put(grid, hero, 30, focus + 20, 2)
    chest = own.choice((9, 50))
    pen.rectangle(
        (chest - 4, focus + 15, chest + 4, focus + 21), fill=p.accent, outline=darker(p.accent, 0.6)
    )
    pen.line((chest - 4, focus + 17, chest + 4, focus + 17), fill=lighter(p.light, 0.3))


def _island(grid: Image.Image, pen: ImageDraw.ImageDraw, brief: Brief, focus: int, hero: Image.Image) -> None:
    p, own = brief.colours, brief.own
    _sun(pen, 30, focus, own.randint(13, 17), p)
    pen.rectangle((0, focus + 14, 59, 89), fill=p.far)
    for y in range(focus + 14, 90, 2):
        for _ in range(7):
            x = own.randrange(-4, 58)
            pen.line(
                (x, y, x + own.randint(1, 7), y), fill=mix(p.far, p.light, 0.5 if abs(x - 28) < 14 else 0.15)
            )
    pen.ellipse((12, focus + 12, 48, focus + 22), fill=p.near)
    pen.line((17, focus + 13, 43, focus + 13), fill=p.light)
    x = own.choice((19, 41))
    for step in range(16):
        pen.line(
            (x + step // 5, focus + 13 - step, x + step // 5 + 1, focus + 13 - step), fill=darker(p.near, 0.4)
        )
    for side in (-1, 1):
        for reach in range(8):
            drop = (reach * reach) // 12
            pen.line(
                (x + 3 + side * reach, focus - 3 + drop - reach // 3, x + 3 + side * reach, focus - 1 + drop),
                fill=p.accent,
            )
    _put(grid, hero, 60 - x, focus + 14)


def _sun(pen: ImageDraw.ImageDraw, x: int, y: int, radius: int, p: Palette) -> None:
    pen.ellipse(
        (x - radius - 2, y - radius - 2, x + radius + 2, y + radius + 2), fill=mix(p.sky[1], p.light, 0.4)
    )
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=p.light)
    pen.ellipse((x - radius, y - radius, x + radius - 3, y + radius - 3), fill=lighter(p.light, 0.35))


THEME = Theme(
    "pixel",
    paint,
    (
        palette("1d2b53 29406b 7e5a9b ff9ba8 | 5f4a8b 1a1c2c ffec9e ff5d7a fff7e0"),
        palette("3fb8e8 8fe0f0 e8fbd0 | 4fae6a 27573d fff27a f2683c ffffff"),
        palette("100f1e 2a1a3e 4a1f4f | 6f3a5e 1c1326 ffb84d 6ff0a8 fff1d0"),
        palette("0f380f 1f5a24 5a9a2a 9bbc0f | 306230 0f2a12 d8f078 b6e04a f2ffd0"),
        palette("ff7f50 ffb347 ffe9a0 | c95a5f 5a1f3d fff4c2 3ecfc4 fff9ec"),
        palette("07071a 10204a 1f4a8a | 1f4f8f 0a0f26 7ff6ff ff6fd8 f4fbff"),
    ),
    (
        Style(texture="pixel", size=62, room=120, depth=3, shadow=0.4),
        Style(anchor="top", texture="pixel", size=56, room=116, outline=0.2, fill="fade"),
        Style(texture="pixel", size=50, room=116, outline=0.2, shadow=0.3),
        Style(anchor="top", texture="pixel", stack=True, size=56, room=120, depth=4, fill="fade"),
    ),
    ("Pixel Graphics", "Retro", "2D", "Platformer", "Indie"),
    grain=2.0,
    vignette=0.2,
    scrim=0.35,
)
