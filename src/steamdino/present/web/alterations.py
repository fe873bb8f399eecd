"""What a page shows of an altered query: links that take an alteration back, and links that add another game."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import Request

from steamdino.present.web.page_links import CARRIED, carried
from steamdino.present.web.parameters import PARTS, Mixture
from steamdino.present.web.root_path import below
from steamdino.records import Crop, Part

_PAGING = ("offset",)
_STARTED_WITH = tuple(name for name in CARRIED if name != "beside")
"""The parameters that a mixture keeps of the page on which it was started."""

Parameters = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Alteration:
    """One alteration of a query.

    Attributes:
        label: what it is.
        without: the address of the page without it.
        sign: "+" or "-" for a part of a mixture, else empty.
        stronger, weaker: the address with the next weight; empty for anything but a part of a mixture.
        game_id: of a part that is a game; else empty.
    """

    label: str
    without: str
    sign: str = ""
    stronger: str = ""
    weaker: str = ""
    game_id: str = ""


@dataclass(frozen=True, slots=True)
class Mixing:
    """Links that add a game to a page's mixture, or take it away from it.

    Attributes:
        path: the page that shows the mixture.
        parameters: of that page.
        subtracts: whether there is something to take a game away from.
    """

    path: str
    parameters: Parameters
    subtracts: bool

    @classmethod
    def elsewhere(cls, request: Request) -> Mixing:
        """Make the links of a page that shows no mixture: they start one, with the page's filters and recipe."""
        return cls(_mixture(request), carried(request, _STARTED_WITH), subtracts=False)

    @classmethod
    def on(cls, request: Request) -> Mixing:
        """Make the links of a page that shows a mixture itself."""
        return cls(request.url.path, _kept(request, _PAGING), subtracts=True)

    @classmethod
    def with_game(cls, request: Request, game_id: str) -> Mixing:
        """Make the links of a game's page: the game is the first part of the mixture."""
        return cls(_mixture(request), [("plus", game_id), *carried(request, _STARTED_WITH)], subtracts=True)

    def adding(self, game_id: str) -> str:
        """Return the address of the mixture with a game; empty if it has too many parts already."""
        return self._with("plus", game_id)

    def subtracting(self, game_id: str) -> str:
        """Return the address of the mixture without what a game shows; empty if that is not possible."""
        return self._with("minus", game_id) if self.subtracts else ""

    def _with(self, name: str, game_id: str) -> str:
        if sum(key == name for key, _ in self.parameters) >= PARTS:
            return ""
        return f"{self.path}?{urlencode([*self.parameters, (name, game_id)])}"


def part_alterations(request: Request, mixture: Mixture, parts: Iterable[Part]) -> list[Alteration]:
    """Return a mixture's parts, given in the order of the request: added ones, then subtracted ones."""
    places = [("plus", number) for number in range(len(mixture.plus))]
    places += [("minus", number) for number in range(len(mixture.minus))]
    texts = {"plus": mixture.plus, "minus": mixture.minus}
    made = []
    for (name, number), part in zip(places, parts, strict=True):
        weight = abs(part.weight)
        bare = texts[name][number]
        if weight != 1:
            bare = bare.partition("*")[2]
        game = part.query.game
        label = game.name if game else part.query.text
        made.append(
            Alteration(
                label if weight == 1 else f"{weight:g} × {label}",
                _with_part(request, mixture, name, number, None),
                "+" if part.weight > 0 else "−",
                _with_part(request, mixture, name, number, _weighted(bare, _next(weight))),
                _with_part(request, mixture, name, number, _weighted(bare, _before(weight)))
                if weight > 0.25
                else "",
                game.id if game else "",
            )
        )
    return made


def turn_alterations(request: Request, crop: Crop | None, *, mirror: bool, flip: bool) -> list[Alteration]:
    """Return what was done to the query's own picture."""
    labels = {
        "crop": part_in_words(crop) if crop else "",
        "mirror": "mirrored" * mirror,
        "flip": "flipped" * flip,
    }
    return [
        Alteration(label, _address(request.url.path, _kept(request, (*_PAGING, name))))
        for name, label in labels.items()
        if label
    ]


def part_in_words(crop: Crop) -> str:
    """Return a part of a picture for display."""
    if crop.pixels:
        return f"part of {crop.width:g} × {crop.height:g} pixels at {crop.x:g}, {crop.y:g}"
    shown = [f"{100 * one:.0f} %" for one in (crop.width, crop.height, crop.x, crop.y)]
    return f"part of {shown[0]} × {shown[1]} at {shown[2]}, {shown[3]}"


def _mixture(request: Request) -> str:
    return below(request, "/mixture")


def kept_fields(request: Request, *names: str) -> list[tuple[str, str]]:
    """Return the parameters that a form must repeat: all but its own, by name, and the place in the list."""
    return [pair for pair in _kept(request, (*_PAGING, *names)) if pair[1]]


def _kept(request: Request, but: Sequence[str]) -> list[tuple[str, str]]:
    return [(key, value) for key, value in request.query_params.multi_items() if key not in but]


def _with_part(request: Request, mixture: Mixture, name: str, number: int, text: str | None) -> str:
    """Return the address with another text of one part; without the part if the text is None."""
    lists = {"plus": [*mixture.plus], "minus": [*mixture.minus]}
    lists[name][number : number + 1] = [] if text is None else [text]
    parts = [(key, one) for key, texts in lists.items() for one in texts]
    return _address(request.url.path, [*parts, *_kept(request, (*_PAGING, "plus", "minus"))])


def _address(path: str, parameters: Parameters) -> str:
    return f"{path}?{urlencode(parameters)}" if parameters else path


def _weighted(text: str, weight: float) -> str:
    return text if weight == 1 else f"{weight:g}*{text}"


def _next(weight: float) -> float:
    return weight + 1 if weight >= 1 else min(1.0, 2 * weight)


def _before(weight: float) -> float:
    return weight - 1 if weight > 1 else weight / 2
