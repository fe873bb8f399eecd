"""Titles: break a name into lines, set and bend them, and draw them on a banner."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise

from steamdino.sample.canvas import HEIGHT, SCALE, WIDTH, Canvas
from steamdino.sample.glyphs import Line, set_line
from steamdino.sample.ink import lay_down
from steamdino.sample.lettering_style import Style
from steamdino.sample.palette import Palette

_ROMAN = {"II", "III", "IV", "V", "VI"}
_MARGIN = 19
_SMALL = 0.46  # relative size of a line like "of the"
_SMALL_WORDS = {"the", "of", "and", "a", "an", "for", "in", "to", "by", "&", "at", "from"}


@dataclass(frozen=True, slots=True)
class Title:
    """The parts of a name: its main words, the number of a sequel, and the subtitle after a colon."""

    words: tuple[str, ...]
    number: str
    subtitle: str


def title_of(name: str) -> Title:
    """Split a game's name into its parts."""
    main, _, subtitle = name.partition(": ")
    words = main.split()
    number = words.pop() if len(words) > 1 and (words[-1] in _ROMAN or words[-1] in "2345") else ""
    return Title(tuple(words), number, subtitle)


def write_title(canvas: Canvas, name: str, style: Style, colours: Palette) -> None:
    """Write a game's name onto the canvas, inside its margins, in a series' style."""
    title = title_of(name)
    if not title.words:
        return
    lines = _main_lines(title.words, style)
    small = set_line(title.subtitle.upper(), 15.5, 0.05, 0.2, 1.0, style.texture == "pixel")
    small = small.narrowed((WIDTH - 2 * _MARGIN - 24) * SCALE) if title.subtitle else small
    number = set_line(title.number, 36.0, style.weight, 0.1, style.stretch, style.texture == "pixel")
    gap = 5.0 if style.stack else 4.0 if style.caps else 9.0
    bend = abs(style.arc) + abs(style.rise) * WIDTH * 0.5
    heights = [line.height / SCALE for line in lines]
    extra = (number.height / SCALE + 11 if title.number else 0) + (
        small.height / SCALE + 12 if title.subtitle else 0
    )
    total = sum(heights) + gap * (len(lines) - 1) + extra
    top = {
        "top": 24.0 + bend * 0.7,
        "middle": (HEIGHT - total) / 2,
        "bottom": HEIGHT - 26.0 - total - bend * 0.5,
    }[style.anchor]
    lay_down(canvas, _placed(lines, heights, top, gap, style), style, colours, main=True)
    y = top + sum(heights) + gap * (len(lines) - 1)
    plain = [(number, y + 11.0)] if title.number else []
    if title.number:
        y += number.height / SCALE + 11
    if title.subtitle:
        plain.append((small, y + 12.0))
    for line, height in plain:
        x = _MARGIN if style.align == "left" else (WIDTH - line.width / SCALE) / 2
        lay_down(canvas, [(line, x, height)], style, colours, main=False)


def _placed(
    lines: list[Line], heights: list[float], top: float, gap: float, style: Style
) -> list[tuple[Line, float, float]]:
    placed = []
    for line, height in zip(lines, heights, strict=True):
        x = float(_MARGIN) if style.align == "left" else (WIDTH - line.width / SCALE) / 2
        placed.append((line, x, top))
        top += height + gap
    return placed


def _main_lines(words: tuple[str, ...], style: Style) -> list[Line]:
    """Break the words so that the letters become largest, then set each line."""
    texts = [word.upper() if style.caps else word for word in words]
    best: list[tuple[str, float]] = []
    best_score = -1.0
    for breaks in _breaks(len(texts)):
        rows = [" ".join(texts[start:end]) for start, end in breaks]
        sizes = _fitted(rows, style)
        # Fewer lines are preferred: another line must make the letters clearly larger.
        large = [size for row, size in zip(rows, sizes, strict=True) if not _is_small(row)]
        score = min(large or [1.0]) * 0.9 ** len(rows)
        if score > best_score:
            best, best_score = list(zip(rows, sizes, strict=True)), score
    return [_set(row, size, style) for row, size in best]


def _set(row: str, size: float, style: Style, *, measure: bool = False) -> Line:
    pixel = style.texture == "pixel"
    return set_line(row, size, style.weight, style.tracking, style.stretch, pixel, measure)


def _fitted(rows: list[str], style: Style) -> list[float]:
    """Return the letter size of each row with which all of them fit the margins and the style's room."""
    room = (WIDTH - 2 * _MARGIN - abs(style.slant) * 20) * SCALE
    trial = [_set(row, 40.0, style, measure=True) for row in rows]
    parts = [_SMALL if _is_small(row) else 1.0 for row in rows]
    widest = max(line.width * part for line, part in zip(trial, parts, strict=True))
    common = min(style.size, 40.0 * room / widest)
    sizes = [
        part * (min(style.size * 1.5, 40.0 * room / line.width) if style.stack else common)
        for line, part in zip(trial, parts, strict=True)
    ]
    height = sum(line.height / SCALE * size / 40.0 for line, size in zip(trial, sizes, strict=True))
    shrink = min(1.0, style.room / height)
    return [size * shrink for size in sizes]


def _is_small(row: str) -> bool:
    return all(word.lower() in _SMALL_WORDS for word in row.split())


def _breaks(count: int) -> list[list[tuple[int, int]]]:
    """Return all ways to cut `count` words into at most four lines, as (start, end) pairs."""
    ways = []
    for cuts in range(min(4, count)):
        for inner in combinations(range(1, count), cuts):
            edges = [0, *inner, count]
            ways.append(list(pairwise(edges)))
        if count > 9:
            # A very long name: cutting evenly is good enough, trying all cuts is slow.
            step = -(-count // 4)
            return [[(start, min(count, start + step)) for start in range(0, count, step)]]
    return ways
