"""What `steam-dino duplicates` does with the files of removable pictures: moves them, and back, or links them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from steamdino.errors import UsageError
from steamdino.present.cli.console import note, say
from steamdino.present.display_text import counted, printable

if TYPE_CHECKING:
    from steamdino.pipeline.duplicate_groups import Duplicates
    from steamdino.pipeline.removable_files import RemovableFile, Skipped
    from steamdino.storage.moved_files import Move


@dataclass(frozen=True, slots=True)
class ActionOptions:
    """What is done with the files of removable pictures."""

    move_to: Annotated[
        Path | None,
        typer.Option(
            "--move-to",
            metavar="FOLDER",
            help="Move the files that are safe to remove to a folder. Run it again to finish after a crash.",
            show_default=False,
        ),
    ] = None
    move_back: Annotated[
        Path | None,
        typer.Option(
            "--move-back",
            metavar="FOLDER",
            help="Move the files back that --move-to moved to this folder.",
            show_default=False,
        ),
    ] = None
    hard_link: Annotated[
        bool,
        typer.Option(
            "--hard-link",
            help="Replace identical files that are safe to remove by hard links to the kept one.",
        ),
    ] = False
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only print what these three options would do.")
    ] = False
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False

    def check(self) -> None:
        """Check the combination.

        Raises:
            UsageError: two actions are given, --dry-run or --yes without one, or nobody can be asked.
        """
        given = [
            name
            for name, value in (
                ("--move-to", self.move_to),
                ("--move-back", self.move_back),
                ("--hard-link", self.hard_link),
            )
            if value
        ]
        if len(given) > 1:
            raise UsageError(f"{given[0]} and {given[1]} exclude each other; give one of them")
        if not given and (self.dry_run or self.yes):
            raise UsageError("--dry-run and --yes are for --move-to, --move-back and --hard-link")
        if given and not (self.dry_run or self.yes or sys.stdin.isatty()):
            raise UsageError(f"{given[0]} asks first, and there is no terminal; add --dry-run or --yes")

    @property
    def act(self) -> bool:
        """Whether files are moved or linked, rather than groups printed."""
        return self.move_to is not None or self.hard_link

    def confirm(self, question: str) -> bool:
        """Return whether to do it."""
        return not self.dry_run and (self.yes or typer.confirm(question, err=True))


def back(options: ActionOptions, place: Path, folder: Path) -> None:
    """Move files back."""
    from steamdino.pipeline.move_duplicates import move_back, unfinished

    moves = unfinished(folder)
    if options.dry_run:
        _print(((str(one.target), str(one.source)) for one in moves), "would move")
    elif not moves or options.confirm(f"Move {counted(len(moves), 'file', 'files')} back?"):
        done = move_back(place, folder, _report)
        note(f"{counted(done.moved, 'file', 'files')} moved back, {done.failed:,} left. {_BUILD}")


def act(options: ActionOptions, place: Path, groups: Sequence[Duplicates], kind: str) -> None:
    """Move or link the files that are safe to remove."""
    from steamdino.analysis.duplicate_detection import IDENTICAL
    from steamdino.gallery import Gallery
    from steamdino.pipeline.removable_files import removable_files

    if options.move_to:
        _finish(options, place, options.move_to)
    else:
        groups = [group for group in groups if group.tier == IDENTICAL]
    with Gallery.open(place) as opened:
        files, skipped = removable_files(opened, groups, kind)
        if options.move_to:
            from steamdino.pipeline.move_duplicates import check_folder

            check_folder(opened, options.move_to)
    if options.move_to:
        _move(options, place, files, skipped, options.move_to)
    else:
        _link(options, files, skipped)


def _finish(options: ActionOptions, place: Path, folder: Path) -> None:
    """Finish what a run that was cut off began."""
    from steamdino.pipeline.move_duplicates import move_files, unfinished

    left = [one for one in unfinished(folder) if one.source.exists()]
    if left and options.confirm(f"Finish moving {counted(len(left), 'file', 'files')} from an earlier run?"):
        move_files(place, [], folder, lambda one, reason: _report(one, reason) if one in left else None)


def _move(
    options: ActionOptions,
    place: Path,
    files: Sequence[RemovableFile],
    skipped: Sequence[Skipped],
    folder: Path,
) -> None:
    from steamdino.pipeline.link_duplicates import saved_bytes
    from steamdino.pipeline.move_duplicates import move_files, planned_moves

    _note_skipped(skipped)
    moves = planned_moves(files, folder)
    size = saved_bytes(files) / 1e6
    what = f"{counted(len(moves), 'file', 'files')} ({size:,.1f} MB) to {folder}"
    if options.dry_run:
        _print(((str(one.source), str(one.target)) for one in moves), "would move")
        note(f"Would move {what}")
    elif not moves:
        note("No file is safe to remove.")
    elif options.confirm(f"Move {what}?"):
        done = move_files(place, moves, folder, _report_of(moves))
        note(
            f"{counted(done.moved, 'file', 'files')} in {folder}, {done.failed:,} not moved. {_BUILD} To move them"
            f" back, run: steam-dino duplicates --move-back {folder}"
        )


def _link(options: ActionOptions, files: Sequence[RemovableFile], skipped: Sequence[Skipped]) -> None:
    from steamdino.pipeline.link_duplicates import link_file, linkable_files, saved_bytes

    files, others = linkable_files(files)
    _note_skipped([*skipped, *others])
    size = saved_bytes(files) / 1e6
    what = f"{counted(len(files), 'file', 'files')} by hard links, which frees {size:,.1f} MB"
    if options.dry_run:
        _print(((str(one.path), str(one.kept)) for one in files), "would link")
        note(f"Would replace {what}")
    elif not files:
        note("No file can be replaced by a hard link.")
    elif options.confirm(f"Replace {what}?"):
        failed = 0
        for one in files:
            reason = link_file(one)
            failed += bool(reason)
            _print([(str(one.path), reason or str(one.kept))], "failed" if reason else "linked")
        note(f"{counted(len(files) - failed, 'file', 'files')} replaced, {failed:,} not.")


def _print(lines: Iterable[tuple[str, str]], verb: str) -> None:
    for first, second in lines:
        say(f"{verb}\t{first}\t{second}")


def _report(one: Move, reason: str) -> None:
    _print([(str(one.source), reason or str(one.target))], "failed" if reason else "moved")


def _report_of(moves: Sequence[Move]) -> Callable[[Move, str], None]:
    """Report these moves, and not those that were made by an earlier run."""
    own = set(moves)
    return lambda one, reason: _report(one, reason) if one in own else None


def _note_skipped(skipped: Sequence[Skipped]) -> None:
    from collections import Counter

    for reason, count in Counter(one.reason for one in skipped).most_common():
        note(f"{counted(count, 'file is', 'files are')} left alone: {printable(reason)}")


_BUILD = "To update searches, run: steam-dino build."
