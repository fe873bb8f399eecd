"""Options that several commands share, and the groups of them that commands take; see `option_groups`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from steamdino.errors import SnapshotError
from steamdino.present.cli.console import note
from steamdino.present.cli.published import local_folder
from steamdino.settings import Settings
from steamdino.storage.picture_limits import set_picture_limits

if TYPE_CHECKING:
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
        help="Inference precision of the pictures that this command encodes; stored vectors keep theirs. f32 is exact;"
        " bf16 is about twice as fast on CPUs that support it; auto picks the fastest supported. Default: f32.",
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
KeepOldOption = Annotated[
    bool | None,
    typer.Option(
        "--keep-old/--no-keep-old",
        help="Keep the gallery's copies of banners that are replaced, for `changes`. Default: no.",
        show_default=False,
    ),
]


@dataclass(frozen=True)  # without slots, so that the settings can be kept
class GalleryOptions:
    """Which gallery a command is about."""

    gallery: Annotated[
        str | None,
        typer.Option(
            "--gallery",
            "-g",
            metavar="DIR",
            help="Folder of the gallery. Default: $STEAMDINO_GALLERY, then steamdino.toml, then ./gallery. Searches and"
            " `serve` also take a published gallery, such as s3://bucket/store.",
            show_default=False,
        ),
    ] = None

    def settings(self, **flags: Any) -> Settings:
        """The settings, with this gallery and other flags.

        Raises:
            UsageError: a value, or the file of settings, cannot be read.
        """
        return self._settings.with_flags(flags)

    @cached_property
    def _settings(self) -> Settings:
        settings = Settings.load({"gallery": self.gallery})
        set_picture_limits(settings.picture_limits)
        return settings

    @property
    def folder(self) -> Path:
        """The gallery's folder.

        Raises:
            UsageError: a published gallery is named.
        """
        return self._settings.folder

    @cached_property
    def home(self) -> Path:
        """The folder whose snapshots are searched: the gallery's, or that of the local copy of a published one.

        Raises:
            SnapshotError, NetworkError, GalleryError: the published gallery cannot be copied.
        """
        return local_folder(self._settings.gallery)

    @property
    def searched(self) -> Path:
        """What a search opens."""
        return self.home

    @property
    def exactly(self) -> bool:
        """Whether all games are compared in every search."""
        return False

    def open(
        self, recipe: RecipeOptions, *, precision: str | None = None, words: bool = False, once: bool = False
    ) -> Snapshot:
        """Open the snapshot to search.

        Args:
            recipe: of the snapshot.
            precision: of the inference, as the command's option; None for the setting's. An option that the snapshot's
                model does not support is an error even if nothing is encoded; a setting may be for other galleries.
            words: prefer a recipe that knows words.
            once: whether a single search follows. Comparing all games then takes less time than opening a faster index.

        Raises:
            UsageError: a setting cannot be read, or the model does not support the precision.
            SnapshotError: there is no such snapshot, or it is damaged.
        """
        from steamdino.search import Snapshot

        found = self.settings(precision=precision).inference_precision
        snapshot = Snapshot.open(
            self.searched,
            recipe.recipe,
            kind=recipe.kind,
            precision=found,
            words=words,
            exact=self.exactly or once,
        )
        if precision is not None:
            from steamdino.features.model_registry import check_precision

            check_precision(snapshot.recipe.model, precision)
        if snapshot.without:
            from steamdino.installation import library_command

            note(
                f"Comparing all games, since the snapshot's index needs {snapshot.without};"
                f" for faster searches, run: {library_command(snapshot.without)}"
            )
        return snapshot


@dataclass(frozen=True)
class SearchOptions(GalleryOptions):
    """Which gallery a search is about, and whether it must be exact."""

    exact: Annotated[
        bool, typer.Option("--exact", help="Compare all games, even if the snapshot has a faster index.")
    ] = False

    @property
    def exactly(self) -> bool:
        """Whether all games are compared in every search."""
        return self.exact


@dataclass(frozen=True)
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
        return self.snapshot or self.home


@dataclass(frozen=True, slots=True)
class RecipeOptions:
    """Which of a gallery's snapshots is searched."""

    recipe: RecipeOption = None
    kind: KindOption = "vertical"


@dataclass(frozen=True, slots=True)
class InferenceOptions(RecipeOptions):
    """A recipe whose model a command runs."""

    precision: PrecisionOption = None
