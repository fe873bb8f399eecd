"""The options that choose which games a command finds, and how alike they must be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from steamdino.records import HIDDEN_COLUMNS

if TYPE_CHECKING:
    from steamdino.records import Filter
    from steamdino.search.cutoff import Cutoff


def including(name: str) -> Any:
    """Declare the option that includes the games of a column of `HIDDEN_COLUMNS`."""
    return typer.Option(f"--{name}/--no-{name}", help=f"Include {HIDDEN_COLUMNS[name]}.")


@dataclass(frozen=True, slots=True)
class FilterOptions:
    """Which games may be found."""

    tag: Annotated[
        list[str] | None,
        typer.Option(
            "--tag",
            metavar="TAG",
            help="Only games with this tag. Repeat for several; a game must have them all.",
            show_default=False,
        ),
    ] = None
    released: Annotated[
        str,
        typer.Option(
            "--released",
            metavar="WHEN",
            help="Only games released in this period, e.g. 2020, 2020.., 2020-Q2 or 2020-05..2021.",
        ),
    ] = ""
    early_access: Annotated[
        str,
        typer.Option(
            "--early-access",
            metavar="WHEN",
            help="Only games whose early access began in this period.",
        ),
    ] = ""
    upcoming: Annotated[
        bool | None,
        typer.Option(
            "--upcoming/--no-upcoming",
            help="Only games that are not released yet, or none of them.",
            show_default=False,
        ),
    ] = None
    min_reviews: Annotated[
        int,
        typer.Option(
            "--min-reviews",
            metavar="N",
            help="Only games with at least N reviews. Default: no minimum.",
            show_default=False,
        ),
    ] = 0
    free: Annotated[bool, typer.Option("--free", help="Only free games.")] = False

    def parsed(self, **included: bool) -> Filter:
        """The filter that searches take.

        Args:
            included: whether to include the games that a column of `HIDDEN_COLUMNS` hides.

        Raises:
            UsageError: an option cannot be read.
        """
        from steamdino.search.filter_parser import filter_of

        return filter_of(
            self.tag or (),
            self.released,
            self.min_reviews,
            free=self.free,
            early_access=self.early_access,
            upcoming=self.upcoming,
            **included,
        )


@dataclass(frozen=True, slots=True)
class HidingFilterOptions(FilterOptions):
    """Which games may be found, where the games of `HIDDEN_COLUMNS` are hidden unless asked for."""

    adult: Annotated[bool, including("adult")] = False
    delisted: Annotated[bool, including("delisted")] = False

    @property
    def filter(self) -> Filter:
        """The filter that searches take.

        Raises:
            UsageError: an option cannot be read.
        """
        return self.parsed(**{name: getattr(self, name) for name in HIDDEN_COLUMNS})


@dataclass(frozen=True, slots=True)
class MinimumOptions:
    """The lowest similarity that counts."""

    min_similarity: Annotated[
        float | None,
        typer.Option(
            "--min-similarity",
            metavar="X",
            help="Only matches with at least this similarity, from -1 to 1.",
            show_default=False,
        ),
    ] = None
    min_percentile: Annotated[
        float | None,
        typer.Option(
            "--min-percentile",
            metavar="P",
            help="Only matches closer than P % of all pairs, from 0 to 100.",
            show_default=False,
        ),
    ] = None

    @property
    def cutoff(self) -> Cutoff:
        """The least that a match must have.

        Raises:
            UsageError: a value is out of its range.
        """
        from steamdino.search.cutoff import Cutoff

        return Cutoff.of(self.min_similarity, self.min_percentile, alike=False)


@dataclass(frozen=True, slots=True)
class CutoffOptions(MinimumOptions):
    """How alike matches must be."""

    alike: Annotated[
        bool,
        typer.Option("--alike", help="Only matches closer than 99.9 % of all pairs. May be fewer than -k."),
    ] = False

    @property
    def cutoff(self) -> Cutoff:
        """The least that a match must have.

        Raises:
            UsageError: a value is out of its range.
        """
        from steamdino.search.cutoff import Cutoff

        return Cutoff.of(self.min_similarity, self.min_percentile, alike=self.alike)
