"""`steam-dino sync`: games and banners from Steam."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from steamdino.errors import UsageError
from steamdino.present.cli.console import err, note, say
from steamdino.present.cli.options import GalleryOptions
from steamdino.present.display_text import duration
from steamdino.settings import SteamSettings

if TYPE_CHECKING:
    from steamdino.pipeline.sync import SyncRequest, SyncSummary
    from steamdino.pipeline.sync.sync_request import Report

LABELS = {
    "list": ("Listing", "games"),
    "details": ("Asking about", "games"),
    "banners": ("Fetching", "banners"),
}


def sync(
    appids: Annotated[
        list[str] | None,
        typer.Argument(metavar="[APPID]...", help="Just these games. Default: all.", show_default=False),
    ] = None,
    *,
    gallery: GalleryOptions,
    file: Annotated[
        Path | None,
        typer.Option(
            "--appids",
            metavar="FILE",
            help="Just the games of a file: an appID on each line, or JSON of Steam or SteamSpy.",
            show_default=False,
        ),
    ] = None,
    top: Annotated[int, typer.Option(metavar="N", help="Just the N most played games, at most 100.")] = 0,
    limit: Annotated[int, typer.Option(metavar="N", help="Just the first N games of the list.")] = 0,
    include: Annotated[
        str, typer.Option(metavar="WHAT,...", help="Besides games: dlc, demo, software.")
    ] = "",
    released_only: Annotated[
        bool, typer.Option("--released-only", help="Leave out what is not released yet.")
    ] = False,
    kind: Annotated[
        str, typer.Option(metavar="KIND,...", help="Of banners: vertical, header, hero.")
    ] = "vertical",
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try again what failed.")] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Read the whole list again, not just what changed.")
    ] = False,
    allow_missing: Annotated[
        bool,
        typer.Option("--allow-missing", help="Go on although Steam's list has lost most of its games."),
    ] = False,
    rate: Annotated[
        float | None, typer.Option(help="Calls of the Web API a second. Default: 1.", show_default=False)
    ] = None,
    banner_rate: Annotated[
        float | None, typer.Option(help="Pictures a second. Default: 10.", show_default=False)
    ] = None,
    connections: Annotated[
        int | None, typer.Option(help="Pictures at the same time. Default: 6.", show_default=False)
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be fetched and how long it would take.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Get Steam's games and their banners, or bring them up to date.

    The list of games, what the store says of each (name, date, tags, reviews, price ...) and the banners come into
    the gallery one after the other, politely: few requests a second, and more and more patience when Steam is busy.
    Stopped at any moment, the same command goes on; later it fetches only what changed.

    With a key of Steam's Web API in STEAM_API_KEY (https://steamcommunity.com/dev/apikey) the list says what changed,
    which saves most requests; without one, everything is looked at again every 30 days.

    Exit code 1 says that something could not be had; `steam-dino info` says what, and --retry-failed tries again.

    **Examples**

        steam-dino sync --top 100
        steam-dino sync 730 1091500

        steam-dino sync --dry-run
        steam-dino sync
    """
    from steamdino.pipeline.sync import estimate
    from steamdino.pipeline.sync import sync as run

    place = gallery.folder
    steam = SteamSettings.load({"rate": rate, "banner_rate": banner_rate, "connections": connections})
    wanted = _wanted(appids or [], file, top, limit, include, released_only, kind, retry_failed, full)
    wanted = replace(wanted, allow_missing=allow_missing)
    if dry_run:
        plan = estimate(place, wanted, steam)
        if as_json:
            say(json.dumps(asdict(plan)))
        else:
            say(
                f"{plan.apps:,} games to ask about, up to {plan.pictures:,} banners: about {plan.requests:,} requests,"
                f" {duration(plan.seconds)}, {plan.disk / 1e9:,.1f} GB."
            )
        return
    with _bars() as report:
        try:
            summary = run(place, wanted, steam, report)
        except KeyboardInterrupt:
            note("Stopped. What was fetched is kept; the same command goes on.")
            raise typer.Exit(130) from None
    _print(summary, as_json)
    if summary.counts["failed"] or not summary.complete:
        raise typer.Exit(1)


def _wanted(
    appids: list[str],
    file: Path | None,
    top: int,
    limit: int,
    include: str,
    released_only: bool,
    kind: str,
    retry_failed: bool,
    full: bool,
) -> SyncRequest:
    from steamdino.catalogue.ids import steam_refusal
    from steamdino.catalogue.steam import app_lists
    from steamdino.catalogue.steam.web_api import INCLUDED
    from steamdino.gallery.layout import KINDS
    from steamdino.pipeline.sync import SyncRequest

    ways = [bool(appids), file is not None, top > 0, limit > 0]
    if sum(ways) > 1:
        raise UsageError("name games, or --appids, or --top, or --limit: one of them at a time")
    if top < 0 or limit < 0 or top > 100:
        raise UsageError("--top must be from 1 to 100, and --limit at least 1")
    named: dict[int, str | None] = app_lists.read(file) if file else {}
    for text in appids:
        if refusal := steam_refusal(text):
            raise UsageError(refusal)
        named[int(text)] = None
    chosen = _among("--include", include, INCLUDED)
    return SyncRequest(
        appids=tuple(named) if named else None,
        names={appid: name for appid, name in named.items() if name},
        include=chosen,
        released_only=released_only,
        top=top,
        limit=limit,
        kinds=_among("--kind", kind, KINDS) or ("vertical",),
        retry_failed=retry_failed,
        full=full,
    )


def _among(flag: str, text: str, known: tuple[str, ...]) -> tuple[str, ...]:
    chosen = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    for one in chosen:
        if one not in known:
            raise UsageError(f"{flag} is {text!r}; known are {', '.join(known)}")
    return chosen


@contextmanager
def _bars() -> Iterator[Report]:
    """A bar for each stage, with rate and time left; elsewhere than on a terminal nothing is drawn."""
    console = err()
    if not console.is_terminal:
        yield lambda stage, done, total: None
        return
    from rich import progress as rich

    columns = (
        rich.TextColumn("{task.description:<12}"),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TextColumn("{task.fields[rate]}", style="progress.data.speed"),
        rich.TimeRemainingColumn(),
    )
    with rich.Progress(*columns, console=console) as progress:
        tasks: dict[str, rich.TaskID] = {}

        def report(stage: str, done: int, total: int) -> None:
            label, unit = LABELS[stage]
            if stage not in tasks:
                tasks[stage] = progress.add_task(label, total=None, rate="")
            speed = progress.tasks[tasks[stage]].speed
            shown = f"{speed:,.0f} {unit}/s" if speed else ""
            progress.update(tasks[stage], completed=done, total=total or None, rate=shown)

        yield report


def _print(summary: SyncSummary, as_json: bool) -> None:
    if as_json:
        say(
            json.dumps(
                {
                    "run": dict(summary.counts),
                    "outcomes": summary.outcomes,
                    "requests": summary.requests,
                    "complete": summary.complete,
                }
            )
        )
        return
    counts = summary.counts
    if counts["lost"]:
        note(
            f"{counts['lost']:,} banners were missing from the gallery's folder, and were fetched again where possible."
        )
    say(
        f"{counts['new']:,} new games, {counts['details']:,} asked about; banners: {counts['fetched']:,} fetched,"
        f" {counts['unchanged']:,} unchanged, {counts['missing']:,} missing, {counts['failed']:,} failed"
        f" ({summary.requests:,} requests)."
    )
    say(
        "All in all: "
        + ", ".join(f"{count:,} {outcome}" for outcome, count in summary.outcomes.items())
        + "."
    )
    if not summary.complete:
        note("Steam's list has more games than it showed; run the same command again, with --full.")
    if counts["fetched"]:
        say("Now: steam-dino build")
