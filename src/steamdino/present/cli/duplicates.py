"""`steam-dino duplicates`: games with duplicate banners."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from steamdino.errors import QueryError, UsageError
from steamdino.present.cli.console import beside, draws, note, note_undated, out, say
from steamdino.present.cli.duplicate_actions import ActionOptions, act, back
from steamdino.present.cli.filter_options import FilterOptions, MinimumOptions
from steamdino.present.cli.options import GalleryOptions, RecipeOptions
from steamdino.present.cli.output_options import PageOutputOptions, PicturesOption, format_option
from steamdino.present.cli.threshold_options import given
from steamdino.present.display_text import counted, printable, shortened
from steamdino.settings import DuplicateSettings
from steamdino.storage.output import output_name
from steamdino.thresholds import DUPLICATE_RANGES

if TYPE_CHECKING:
    from steamdino.pipeline.duplicate_groups import Duplicates, Member
    from steamdino.search import Snapshot

FORMATS = ("table", "json", "csv", "pairs", "all", "removable")
LONGEST_NAME = 40
KEYS = {"d": "same", "n": "different", "k": "keep", "s": "", "q": ""}


@dataclass(frozen=True, slots=True)
class DuplicatesOutput(PageOutputOptions):
    """How groups of duplicates are printed, and what is written beside."""

    FORMATS: ClassVar[tuple[str, ...]] = FORMATS

    format: Annotated[
        str,
        format_option(
            FORMATS,
            "Output format. pairs is CSV with the scores of each pair. all lists the ids of all duplicates, removable"
            " of those that are safe to remove.",
        ),
    ] = "table"
    paths: Annotated[
        bool,
        typer.Option(
            "--paths", help="In the formats all and removable, print paths of files instead of ids."
        ),
    ] = False
    pictures: PicturesOption = None
    html: Annotated[
        Path | None,
        typer.Option(
            "--html",
            metavar="DIR|FILE",
            help="Also write pages with pictures to a folder, or all on one page to a file like groups.html."
            " - is stdout.",
            show_default=False,
        ),
    ] = None

    def files(self) -> tuple[tuple[str, Path | None], ...]:
        """The options that name files, and these."""
        return () if self.folder else (("--html", self.html),)

    @property
    def folder(self) -> Path | None:
        """The folder of the pages; None if there is none."""
        if self.html is None:
            return None
        from steamdino.present.export.duplicate_pages import is_folder

        return self.html if is_folder(self.html) else None


def duplicates(
    query: Annotated[
        str | None,
        typer.Argument(
            metavar="[QUERY]", help="Only the groups of this game, by id or name.", show_default=False
        ),
    ] = None,
    *,
    gallery: GalleryOptions,
    tier: Annotated[
        str, typer.Option(metavar="TIER,...", help="Tiers to show: identical, re-encoded, near, similar.")
    ] = "identical,re-encoded,near",
    recipe: RecipeOptions,
    only: FilterOptions,
    page: Annotated[int, typer.Option(metavar="N", help="Page of groups to show.")] = 1,
    per_page: Annotated[int, typer.Option(metavar="N", help="Groups per page.")] = 20,
    output: DuplicatesOutput,
    compare: Annotated[
        str,
        typer.Option(
            metavar="WHICH",
            help="Which games to compare: all, within-folders, across-folders, within-sources, across-sources.",
        ),
    ] = "all",
    keep_rule: Annotated[
        list[str] | None,
        typer.Option(
            "--keep-rule",
            metavar="RULE",
            help="Which file of a group to keep: lossless, resolution, bytes, oldest, newest, source (in the order in"
            " which they were added) or path:PATTERN. Repeatable, the most important first.",
            show_default="lossless, resolution, bytes",
        ),
    ] = None,
    threshold: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=NUMBER",
            help="How alike duplicates must be; repeatable. Default: near=0.5, certain=0.75, hash-bits=18, colour=20,"
            " spot=6, or the settings.",
            show_default=False,
        ),
    ] = None,
    least: MinimumOptions,
    action: ActionOptions,
    review: Annotated[
        bool, typer.Option("--review", help="Review the pairs one by one; decide each with a key.")
    ] = False,
) -> None:
    """Show groups of games with duplicate banners, in tiers.

    identical: the same file. re-encoded: the same picture, saved again or scaled; its hash, its vector and its colours
    agree. near: near-duplicates such as crops, recolours, mirror images, other lettering and reskins; found by
    the vectors. similar: mutual nearest neighbours that are not duplicates.

    The best picture of each group is kept, unless you chose another: a lossless file rather than one that is not, then
    the one with the most pixels, then with the most bytes. Other rules can be given with --keep-rule. In the first two
    tiers the others are safe to remove, unless they have more pixels. Several names of one file, such as links, are no
    duplicates. Decisions made with --review or `check --decisions` are kept.

    **Examples**

        steam-dino duplicates
        steam-dino duplicates --tier near --html near

        steam-dino duplicates --format removable --paths > safe-to-remove.txt
        steam-dino duplicates --compare across-folders --keep-rule "path:*/originals/*"

        steam-dino duplicates --review

        steam-dino duplicates --move-to ../duplicates --dry-run
        steam-dino duplicates --tier identical --hard-link
    """
    from steamdino.analysis.duplicate_detection import TIERS
    from steamdino.gallery import Gallery
    from steamdino.pipeline import duplicate_search
    from steamdino.pipeline.keep_rules import KeepRules
    from steamdino.pipeline.scored_pairs import scored_pairs
    from steamdino.present.cli.progress import bar
    from steamdino.present.export import check_report, duplicate_pages, output_folders
    from steamdino.records import HIDDEN_COLUMNS

    output.check()
    action.check()
    if action.move_back:
        back(action, gallery.folder, action.move_back)
        return
    folder = output.folder
    if folder:
        output_folders.check_folder(folder, duplicate_pages.KIND)
    if output.paths and output.format not in ("all", "removable"):
        raise UsageError(
            f"--paths is for --format all or removable, not {output.format}; csv and json have the paths anyway"
        )
    if page < 1 or per_page < 1:
        raise UsageError(f"--page is {page} and --per-page {per_page}; both must be at least 1")
    if review and not sys.stdin.isatty():
        raise UsageError(
            "--review needs a terminal; without one, write decisions to a file and run:"
            " steam-dino check --decisions FILE"
        )
    place = gallery.folder
    highest = {name.replace("_", "-"): most for name, most in DUPLICATE_RANGES.items()}
    thresholds = DuplicateSettings.load(given(threshold or (), highest, "near=0.6"))
    tiers = [one.strip() for one in tier.split(",") if one.strip()]
    allowed = only.parsed(**dict.fromkeys(HIDDEN_COLUMNS, True))
    with bar("Comparing", "games") as progress:
        rules = KeepRules.parse(keep_rule or ())
        found = duplicate_search.find_duplicates(
            place,
            recipe.recipe,
            kind=recipe.kind,
            tiers=tiers or TIERS[:3],
            only=allowed,
            compare=compare,
            least=least.cutoff,
            thresholds=thresholds,
            progress=progress,
        )
    with Gallery.open(place) as opened:
        if output.format == "pairs":
            wanted = _game(query, gallery.open(recipe)) if query is not None else None
            for line in check_report.pairs_csv(scored_pairs(found, opened), wanted):
                say(line)
            return
        groups = found.groups(opened, rules)
    if only.released:
        note_undated(gallery.open(recipe).undated(allowed))
    if query is not None:
        key = _game(query, gallery.open(recipe))
        groups = [group for group in groups if any(one.game_id == key for one in group.members)]
    if action.act:
        act(action, place, groups, recipe.kind)
        return
    if folder:
        with bar("Scaling", "banners") as progress:
            pages = duplicate_pages.write_pages(
                folder, groups, threads=os.cpu_count() or 1, progress=progress
            )
        note(f"{folder / 'index.html'}: {counted(pages, 'page', 'pages')} with pictures")
    elif output.html:
        check_report.write_groups(output.html, groups)
        note(f"{output_name(output.html)}: a page with pictures")
    if output.format == "json":
        for line in check_report.groups_json(groups):
            say(line)
    elif output.format == "csv":
        for line in check_report.groups_csv(groups):
            say(line)
    elif output.format in ("all", "removable"):
        for one in _listed(groups, removable=output.format == "removable"):
            say(one.path if output.paths else one.game_id)
    else:
        with beside(output.html):
            if review:
                _review(groups, place)
            else:
                _print(groups, page, per_page, output.pictures)


def _game(query: str, snapshot: Snapshot) -> str:
    """Return the id of the game that is asked about."""
    found = snapshot.similar(query, 1).query
    if found.game is None:
        raise QueryError(
            f"{query!r} is a picture, not a game; to see its nearest games, run: steam-dino similar"
        )
    return found.game.id


def _listed(groups: list[Duplicates], *, removable: bool) -> list[Member]:
    """Return the members of all groups, or those that are safe to remove, each once."""
    members = (member for group in groups for member in group.members if member.removable or not removable)
    return list({member.game_id: member for member in members}.values())


def _print(groups: list[Duplicates], page: int, per_page: int, pictures: bool | None) -> None:
    from collections import Counter

    from rich.text import Text

    from steamdino.present.cli.terminal_pictures import grid

    console = out()
    counts = Counter(group.tier for group in groups)
    summary = ", ".join(f"{count:,} {tier}" for tier, count in counts.items())
    console.print(Text(f"{len(groups):,} groups: {summary}" if groups else "No duplicates."))
    pages = -(-len(groups) // per_page)
    if groups and page > pages:
        raise UsageError(f"--page is {page}, but there are only {pages}")
    for group in groups[(page - 1) * per_page : page * per_page]:
        console.print(Text(f"\n{group.tier}", style="bold"), Text(f"kept: {group.reason}", style="dim"))
        if draws(pictures, console):
            labelled = [
                ("keep" if one is group.representative else f"{one.similarity:.3f}", one.location)
                for one in group.members[:8]
            ]
            console.print(grid(labelled, console.width))
        for one in group.members:
            likeness = " keep" if one is group.representative else f"{one.similarity:.3f}"
            removable = "  safe to remove" if one.removable else ""
            name = shortened(printable(one.name), LONGEST_NAME)
            console.print(
                Text(f"  {likeness}  {name}  {printable(one.game_id)}  {one.width}x{one.height}{removable}")
            )
    if pages > 1:
        console.print(Text(f"\nPage {page} of {pages}; next: --page {page + 1}", style="dim"))


def _review(groups: list[Duplicates], place: Path) -> None:
    from rich.text import Text

    from steamdino.gallery.curation import Decision
    from steamdino.pipeline.decisions import decide
    from steamdino.present.cli.terminal_pictures import grid

    console = out()
    pairs = [(group, other) for group in groups for other in group.others]
    made = 0
    for number, (group, other) in enumerate(pairs, 1):
        first = group.representative
        likeness = f"{other.similarity:.3f}"
        console.print(Text(f"\n{number} of {len(pairs)}, {group.tier}, {likeness}", style="bold"))
        console.print(grid([("first", first.location), ("second", other.location)], console.width))
        for one in (first, other):
            console.print(
                Text(f"  {printable(one.name)}  {printable(one.game_id)}  {one.width}x{one.height}")
            )
        console.print(Text("[d]uplicate  [n]ot one  [k]eep the second  [s]kip  [q]uit", style="dim"))
        while (key := typer.getchar().lower()) not in KEYS:
            pass
        if key == "q":
            break
        if key == "k":
            decide(place, [Decision(other.game_id, "", "keep")])
        elif KEYS[key]:
            decide(place, [Decision(first.game_id, other.game_id, KEYS[key])])
        made += key != "s"
    note(f"{made:,} decisions saved.")
