"""Emblems for cards, shields and seals: suits, sun, moon, eye, crown, sword, flame."""

from __future__ import annotations

import math
from collections.abc import Callable

from steamdino.sample.canvas import Canvas, Point
from steamdino.sample.palette import Colour

Place = Callable[[float, float], Point]


class Turned:
    """Map an emblem's coordinates to banner units, turned by an angle in radians and made slimmer."""

    def __init__(self, x: float, y: float, angle: float, slim: float = 1.0) -> None:
        self._x, self._y, self._cos, self._sin = x, y, math.cos(angle), math.sin(angle)
        self._slim = slim

    def __call__(self, across: float, down: float) -> Point:
        """Return the position on the banner of a point of the emblem."""
        across *= self._slim
        return (
            self._x + across * self._cos - down * self._sin,
            self._y + across * self._sin + down * self._cos,
        )


def emblem(canvas: Canvas, sign: str, place: Place, size: float, colour: Colour, hollow: Colour) -> None:
    """Draw an emblem of half height `size` where `place` maps its own coordinates to banner units.

    `hollow` is the colour of its cut-out parts (an eye's white, a moon's missing part).
    """

    def shape(points: list[Point], ink: Colour = colour) -> None:
        canvas.polygon([place(x * size, y * size) for x, y in points], ink)

    def disc(x: float, y: float, radius: float, ink: Colour = colour) -> None:
        shape([(x + radius * math.cos(turn), y + radius * math.sin(turn)) for turn in _CIRCLE], ink)

    if sign == "heart":
        disc(-0.45, -0.35, 0.5)
        disc(0.45, -0.35, 0.5)
        shape([(-0.9, -0.15), (0, -0.45), (0.9, -0.15), (0, 1)])
    elif sign == "spade":
        disc(-0.43, 0.25, 0.48)
        disc(0.43, 0.25, 0.48)
        shape([(-0.86, 0.06), (0, -1), (0.86, 0.06), (0, 0.5)])
        shape([(0, 0.2), (0.3, 1), (-0.3, 1)])
    elif sign == "club":
        for x, y in ((0, -0.5), (-0.5, 0.2), (0.5, 0.2), (0, 0.05)):
            disc(x, y, 0.46 if x or y < 0 else 0.3)
        shape([(0, 0.1), (0.3, 1), (-0.3, 1)])
    elif sign == "diamond":
        shape([(0, -1), (0.72, 0), (0, 1), (-0.72, 0)])
        shape([(0, -0.6), (0.42, 0), (0, 0.6), (-0.42, 0)], hollow)
        shape([(0, -0.42), (0.28, 0), (0, 0.42), (-0.28, 0)])
    elif sign == "sun":
        for index in range(12):
            turn = index * math.tau / 12
            shape(
                [
                    (math.cos(turn - 0.13) * 0.6, math.sin(turn - 0.13) * 0.6),
                    (math.cos(turn), math.sin(turn)),
                    (math.cos(turn + 0.13) * 0.6, math.sin(turn + 0.13) * 0.6),
                ]
            )
        disc(0, 0, 0.5)
        disc(0, 0, 0.36, hollow)
        disc(0, 0, 0.26)
    elif sign == "moon":
        disc(0, 0, 0.95)
        disc(0.36, -0.14, 0.78, hollow)
        shape(
            [
                (0.3, -0.5),
                (0.39, -0.2),
                (0.7, -0.12),
                (0.39, -0.02),
                (0.3, 0.28),
                (0.21, -0.02),
                (-0.1, -0.12),
                (0.21, -0.2),
            ]
        )
    elif sign == "eye":
        shape([(math.cos(turn), math.sin(turn) * 0.55 * abs(math.sin(turn)) ** 0.35) for turn in _CIRCLE])
        disc(0, 0, 0.4, hollow)
        disc(0, 0, 0.24)
        for index in range(7):
            turn = math.pi * (1.15 + 0.7 * index / 6)
            shape(
                [
                    (0.72 * math.cos(turn) - 0.03, 0.72 * math.sin(turn)),
                    (math.cos(turn), math.sin(turn)),
                    (0.72 * math.cos(turn) + 0.03, 0.72 * math.sin(turn)),
                ]
            )
    elif sign == "crown":
        shape([(-0.9, 0.6), (-1, -0.5), (-0.45, 0.05), (0, -0.8), (0.45, 0.05), (1, -0.5), (0.9, 0.6)])
        for x, y in ((-1, -0.58), (0, -0.88), (1, -0.58)):
            disc(x, y, 0.13)
        shape([(-0.86, 0.34), (0.86, 0.34), (0.86, 0.44), (-0.86, 0.44)], hollow)
    elif sign == "sword":
        shape([(0, -1), (0.14, -0.8), (0.14, 0.4), (-0.14, 0.4), (-0.14, -0.8)])
        shape([(-0.55, 0.36), (0.55, 0.36), (0.5, 0.52), (-0.5, 0.52)])
        shape([(-0.09, 0.5), (0.09, 0.5), (0.09, 0.88), (-0.09, 0.88)])
        disc(0, 0.92, 0.15)
        shape([(0, -0.84), (0.03, -0.7), (0.03, 0.3), (-0.03, 0.3), (-0.03, -0.7)], hollow)
    else:
        shape(
            [
                (0, -1),
                (0.35, -0.5),
                (0.3, -0.2),
                (0.6, -0.45),
                (0.7, 0.2),
                (0.45, 0.8),
                (0, 1),
                (-0.45, 0.8),
                (-0.7, 0.2),
                (-0.5, -0.25),
                (-0.25, 0.0),
                (-0.3, -0.5),
            ]
        )
        shape([(0, -0.1), (0.3, 0.35), (0.2, 0.72), (0, 0.82), (-0.2, 0.72), (-0.3, 0.35)], hollow)


_CIRCLE = [math.tau * step / 40 for step in range(40)]
