"""The games of an export: named ones, those in a file, the most played, or all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from steamdino.errors import QueryError, UsageError
from steamdino.present.cli.console import note
from steamdino.present.cli.match_output import note_choice
from steamdino.settings import SteamSettings
from steamdino.storage.output import writing_text
from steamdino.storage.text_lines import read_lines

if TYPE_CHECKING:
    from steamdino.analysis.neighbourhood import Neighbourhood
    from steamdino.records import Query
    from steamdino.search import Snapshot
    from steamdino.search.cutoff import Cutoff

GUESSED = 3
"""Exit code of an export for a game whose name is not the one that was asked for."""

NAMED = 5
"""Maximum number of missing games to list."""

CountOption = Annotated[int, typer.Option("-k", metavar="N", help="Maximum number of matches per query.")]


@dataclass(frozen=True, slots=True)
class Selection:
    """The games of an export."""

    queries: Annotated[
        list[str] | None,
        typer.Argument(metavar="[QUERY]...", help="Games, by id or name.", show_default=False),
    ] = None
    top: Annotated[
        bool, typer.Option("--top100", help="The 100 most played games; downloaded from Steam once a day.")
    ] = False
    file: Annotated[
        Path | None,
        typer.Option(
            "--from", metavar="FILE", help="The games in a file: an id on each line.", show_default=False
        ),
    ] = None
    every: Annotated[bool, typer.Option("--all", help="All games.")] = False
    exact_names: Annotated[
        bool,
        typer.Option(
            "--exact-names", help="Refuse a name that no game has, instead of taking the nearest one."
        ),
    ] = False

    def __bool__(self) -> bool:
        return bool(self.queries or self.top or self.file or self.every)

    def ids(self, snapshot: Snapshot, gallery: Path) -> list[str] | None:
        """Return the ids, each once, in the given order, or None for all. Report missing ones.

        Raises:
            UsageError: no games are selected.
            QueryError: nothing matches a query, or no game is left.
        """
        if not self:
            raise UsageError("no games are selected; name some, or pass --top100, --from FILE or --all")
        if self.every:
            return None
        found = dict.fromkeys(self._named(snapshot))
        wanted = [*self._of_file(), *(self._most_played(gallery) if self.top else ())]
        missing = [key for key in wanted if key not in snapshot]
        found |= dict.fromkeys(key for key in wanted if key in snapshot)
        if missing:
            named = ", ".join(missing[:NAMED]) + (", ..." if len(missing) > NAMED else "")
            note(f"{len(missing):,} of {len(wanted):,} games are missing from the snapshot: {named}")
        if not found:
            raise QueryError(
                "none of these games is in the snapshot; to add games from Steam, run: steam-dino sync"
            )
        return list(found)

    def neighbourhood(self, snapshot: Snapshot, gallery: Path, k: int, cutoff: Cutoff) -> Neighbourhood:
        """The games with their k nearest that a cutoff lets through. Raises as `ids`."""
        from steamdino.analysis.neighbourhood import Neighbourhood
        from steamdino.present.cli.progress import bar

        ids = self.ids(snapshot, gallery)
        rows = None if ids is None else [row for key in ids if (row := snapshot.row(key)) is not None]
        with bar("Comparing", "games") as progress:
            return Neighbourhood.of(snapshot, k, rows, cutoff=cutoff, progress=progress)

    def check_names(self, snapshot: Snapshot) -> None:
        """Refuse names that no game has, if that is asked for.

        Raises:
            QueryError: there is one; the message tells the nearest.
        """
        if self.exact_names:
            for guess in self._guesses(snapshot):
                nearest = f"; the nearest is {guess.game.name} ({guess.game.id})" if guess.game else ""
                raise QueryError(f"no game has the name or id {guess.text!r}{nearest}")

    def tell_guesses(self, snapshot: Snapshot) -> None:
        """Report names that no game has and for which the nearest ones were taken.

        Raises:
            typer.Exit: there was one; the exit code is `GUESSED`.
        """
        guesses = list(self._guesses(snapshot))
        for guess in guesses:
            note_choice(guess)
        if guesses:
            raise typer.Exit(GUESSED)

    def _guesses(self, snapshot: Snapshot) -> Iterator[Query]:
        return (found for text in self.queries or () if (found := snapshot.find(text)).is_guess)

    def _named(self, snapshot: Snapshot) -> Iterator[str]:
        self.check_names(snapshot)
        for query in self.queries or ():
            game = snapshot.find(query).game
            if game is None:
                raise UsageError(
                    f"{query!r} is a picture, not a game; for pictures use: steam-dino export html"
                )
            yield game.id

    def _of_file(self) -> list[str]:
        if self.file is None:
            return []
        lines = read_lines(self.file, "name a file of ids with --from")
        return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]

    def _most_played(self, gallery: Path) -> list[str]:
        from datetime import date

        from steamdino.pipeline.sync import most_played

        found, path = most_played(gallery, SteamSettings.load({}), date.today())
        note(f"Using the most played games of {path}")
        return [str(appid) for appid in found]


@contextmanager
def text_file(path: Path | None) -> Iterator[IO[str]]:
    """Open the text file to write; without a path, stdout.

    Raises:
        OutputError: it cannot be written.
    """
    import sys

    if path is None:
        yield sys.stdout
        return
    with writing_text(path) as text:
        yield text
