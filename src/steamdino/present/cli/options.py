"""Options that several commands share, and the groups of them that commands take; see `option_groups`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from steamdino.errors import SnapshotError, UsageError
from steamdino.present.cli.console import note
from steamdino.settings import Settings
from steamdino.storage import output as storage

if TYPE_CHECKING:
    from steamdino.records import Filter
    from steamdino.search import Snapshot

RecipeOption = Annotated[
    str | None,
    typer.Option("--recipe", metavar="NAME", help="Name or hash of the recipe.", show_default=False),
]
PrecisionOption = Annotated[
    str | None,
    typer.Option(
        "--precision",
        metavar="f32|bf16|auto",
        help="Inference precision. f32 is exact; bf16 is about twice as fast on CPUs that support it; auto picks the"
        " fastest supported. Default: f32.",
        show_default=False,
    ),
]
KindOption = Annotated[
    str,
    typer.Option(
        "--kind", metavar="vertical|header|hero", help="Kind of banner, if the gallery has several."
    ),
]
CountOption = Annotated[int, typer.Option("-k", metavar="N", help="Maximum number of matches.")]
AlikeOption = Annotated[
    bool, typer.Option("--alike", help="Only matches closer than 99.9 % of all pairs. May be fewer than -k.")
]
HtmlOption = Annotated[
    Path | None,
    typer.Option(
        "--html",
        metavar="FILE",
        help="Also write an HTML page with pictures. - is stdout.",
        show_default=False,
    ),
]
PicturesOption = Annotated[
    bool | None,
    typer.Option(
        "--pictures/--no-pictures",
        help="Show banners in the terminal. Default: if it has enough colours.",
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True)
class GalleryOptions:
    """Which gallery a command is about."""

    gallery: Annotated[
        Path | None,
        typer.Option(
            "--gallery",
            "-g",
            metavar="DIR",
            help="Folder of the gallery. Default: $STEAMDINO_GALLERY, then steamdino.toml, then ./gallery.",
            show_default=False,
        ),
    ] = None

    def settings(self, **flags: Any) -> Settings:
        """The settings, with this gallery and other flags.

        Raises:
            UsageError: a value, or the file of settings, cannot be read.
        """
        return Settings.load({"gallery": self.gallery, **flags})

    @property
    def folder(self) -> Path:
        """The gallery's folder."""
        return self.settings().gallery

    @property
    def searched(self) -> Path:
        """What a search opens."""
        return self.folder

    @property
    def exactly(self) -> bool:
        """Whether all games are compared in every search."""
        return False

    def open(self, recipe: RecipeOptions, *, precision: str | None = None, words: bool = False) -> Snapshot:
        """Open the snapshot to search.

        Args:
            recipe: of the snapshot.
            precision: of the inference; None for the setting's.
            words: prefer a recipe that knows words.

        Raises:
            UsageError: a setting cannot be read.
            SnapshotError: there is no such snapshot, or it is damaged.
        """
        from steamdino.search import Snapshot

        found = self.settings(precision=precision).inference_precision
        snapshot = Snapshot.open(
            self.searched, recipe.recipe, kind=recipe.kind, precision=found, words=words, exact=self.exactly
        )
        if snapshot.without:
            note(
                f"Comparing all games, since the snapshot's index needs {snapshot.without};"
                f" for faster searches, run: pip install {snapshot.without}"
            )
        return snapshot


@dataclass(frozen=True, slots=True)
class SearchOptions(GalleryOptions):
    """Which gallery a search is about, and whether it must be exact."""

    exact: Annotated[
        bool, typer.Option("--exact", help="Compare all games, even if the snapshot has a faster index.")
    ] = False

    @property
    def exactly(self) -> bool:
        """Whether all games are compared in every search."""
        return self.exact


@dataclass(frozen=True, slots=True)
class SnapshotOptions(SearchOptions):
    """Which gallery, or which snapshot in its stead, a search is about."""

    snapshot: Annotated[
        Path | None,
        typer.Option(
            "--snapshot",
            metavar="FILE",
            help="Search a packed snapshot, or the folder of your own snapshot, instead of the gallery.",
        ),
    ] = None

    @property
    def searched(self) -> Path:
        """What a search opens: the snapshot if one is named, else the gallery.

        Raises:
            SnapshotError: the snapshot does not exist.
        """
        if self.snapshot and not self.snapshot.exists():
            raise SnapshotError(
                f"{self.snapshot} does not exist; name a packed snapshot, or a snapshot's folder, with --snapshot"
            )
        return self.snapshot or self.folder


@dataclass(frozen=True, slots=True)
class RecipeOptions:
    """Which of a gallery's snapshots is searched."""

    recipe: RecipeOption = None
    kind: KindOption = "vertical"


@dataclass(frozen=True, slots=True)
class InferenceOptions(RecipeOptions):
    """A recipe whose model a command runs."""

    precision: PrecisionOption = None


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
            help="Only games released in this period, e.g. 2020, 2020.. or 2020-05..2021.",
        ),
    ] = ""
    min_reviews: Annotated[
        int, typer.Option("--min-reviews", metavar="N", help="Only games with at least N reviews.")
    ] = 0
    free: Annotated[bool, typer.Option("--free", help="Only free games.")] = False

    def parsed(self, *, adult: bool = False) -> Filter:
        """The filter that searches take.

        Args:
            adult: let adult-only games through.

        Raises:
            UsageError: an option cannot be read.
        """
        from steamdino.search.filter_parser import filter_of

        return filter_of(self.tag or (), self.released, self.min_reviews, free=self.free, adult=adult)


@dataclass(frozen=True, slots=True)
class AdultFilterOptions(FilterOptions):
    """Which games may be found, where adult-only games are hidden unless asked for."""

    adult: Annotated[bool, typer.Option("--adult/--no-adult", help="Include adult-only games.")] = False

    @property
    def filter(self) -> Filter:
        """The filter that searches take.

        Raises:
            UsageError: an option cannot be read.
        """
        return self.parsed(adult=self.adult)


def format_option(names: tuple[str, ...], text: str = "Output format.") -> Any:
    """Declare ``--format`` of a command."""
    return typer.Option("--format", metavar="|".join(names), help=text)


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """How a command prints its results. A subclass with other formats declares `format` again.

    Raises:
        UsageError: the format does not exist.
    """

    FORMATS: ClassVar[tuple[str, ...]] = ("table", "json")

    format: Annotated[str, format_option(("table", "json"))] = "table"

    def __post_init__(self) -> None:
        if self.format not in self.FORMATS:
            raise UsageError(f"--format is {self.format!r}; it must be one of: {', '.join(self.FORMATS)}")

    def files(self) -> tuple[tuple[str, Path | None], ...]:
        """The options that name files, and these."""
        return ()

    def check(self, *more: tuple[str, Path | None]) -> None:
        """Check in advance whether everything can be written; see `check_outputs`."""
        check_outputs(*self.files(), *more, form=self.format)


@dataclass(frozen=True, slots=True)
class PageOutputOptions(OutputOptions):
    """How a command prints its results, and a page to write beside."""

    html: HtmlOption = None

    def files(self) -> tuple[tuple[str, Path | None], ...]:
        """The options that name files, and these."""
        return (("--html", self.html),)


def check_outputs(*outputs: tuple[str, Path | None], form: str = "table") -> None:
    """Refuse outputs that cannot be written, before anything is computed.

    Args:
        outputs: options and the files that they name.
        form: how results are printed: a table is for people, and goes to stderr where a file is standard output.

    Raises:
        UsageError: standard output is asked for more than once.
        OutputError: a path is a folder, or something else that cannot be written.
    """
    taken = "" if form == "table" else f"--format {form}"
    for option, path in outputs:
        if path is None:
            continue
        storage.check(path, option)
        if storage.is_stdout(path):
            if taken:
                raise UsageError(
                    f"{taken} and {option} both write to standard output; name a file for one of them"
                )
            taken = option


def check_folder(option: str, folder: Path | None) -> None:
    """Refuse standard output where a folder is written.

    Raises:
        UsageError: the path means standard output.
    """
    if folder is not None and storage.is_stdout(folder):
        raise UsageError(f"{option} is {folder}, and standard output takes one file only; name a folder")
