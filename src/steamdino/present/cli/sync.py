"""`steam-dino sync`: games and banners from Steam."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from steamdino.catalogue.steam import app_types
from steamdino.errors import UsageError
from steamdino.present.cli.console import note, say
from steamdino.present.cli.options import GalleryOptions, KeepOldOption
from steamdino.present.display_text import counted, duration
from steamdino.settings import SteamSettings

if TYPE_CHECKING:
    from steamdino.pipeline.sync import SyncRequest, SyncSummary


def sync(
    appids: Annotated[
        list[str] | None,
        typer.Argument(metavar="[APPID]...", help="Only these games. Default: all.", show_default=False),
    ] = None,
    *,
    gallery: GalleryOptions,
    file: Annotated[
        Path | None,
        typer.Option(
            "--appids",
            metavar="FILE",
            help="Only the games in a file: an appID on each line, or JSON from Steam or SteamSpy.",
            show_default=False,
        ),
    ] = None,
    top: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="Only the N most played games, at most 100. Default: all games.",
            show_default=False,
        ),
    ] = 0,
    limit: Annotated[
        int,
        typer.Option(
            metavar="N", help="Only the first N games of the list. Default: all games.", show_default=False
        ),
    ] = 0,
    include: Annotated[
        str,
        typer.Option(metavar="TYPE,...", help=f"Also include apps of: {', '.join(app_types.INCLUDABLE)}."),
    ] = "",
    released_only: Annotated[
        bool, typer.Option("--released-only", help="Skip games that are not released yet.")
    ] = False,
    kind: Annotated[
        str, typer.Option(metavar="KIND,...", help="Kinds of banner: vertical, header, hero.")
    ] = "vertical",
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Retry what failed before.")] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Read the whole list and all details again, not only changes.")
    ] = False,
    allow_missing: Annotated[
        bool,
        typer.Option(
            "--allow-missing", help="Continue even if most of the known games are missing from Steam's list."
        ),
    ] = False,
    keep_old: KeepOldOption = None,
    countries: Annotated[
        str | None,
        typer.Option(
            metavar="CODE,...",
            help="The main country of the store, then those to ask for games that are hidden in it. Default: US,DE.",
            show_default=False,
        ),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(help="Web API calls per second; 0 for no limit. Default: 1.", show_default=False),
    ] = None,
    banner_rate: Annotated[
        float | None,
        typer.Option(help="Pictures per second; 0 for no limit. Default: 10.", show_default=False),
    ] = None,
    connections: Annotated[
        int | None, typer.Option(help="Parallel picture downloads. Default: 6.", show_default=False)
    ] = None,
    pictures: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Keep downloads in object storage (s3://, gs://, az://; extra: objects), not in the gallery's folder.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be fetched and how long it would take.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Download Steam's games and banners, or update them.

    It downloads the list of games, then the store's details (name, date, tags, reviews, price ...), then the banners.
    It sends few requests per second and backs off if Steam is busy. You can stop it at any time; the same command
    continues, and later fetches only changes.

    Apps that are not games are left out unless --include names their type. Apps that you name by their appIDs are kept
    whatever their type is.

    With a Steam Web API key in STEAM_API_KEY (https://steamcommunity.com/dev/apikey) the list shows what changed, which
    saves most requests. Without a key, everything is checked again every 30 days.

    Exit code 1 means that something could not be downloaded; `steam-dino info` shows what, and --retry-failed retries.

    **Examples**

        steam-dino sync --top 100
        steam-dino sync 730 1091500
        steam-dino sync --pictures s3://bucket/banners

        steam-dino sync --dry-run
        steam-dino sync
    """
    from steamdino.pipeline.sync import estimate
    from steamdino.pipeline.sync import sync as run
    from steamdino.present.cli.sync_progress import bars, retries

    settings = gallery.settings(keep_old=keep_old)
    place = settings.folder
    steam = SteamSettings.load(
        {
            "countries": countries,
            "rate": rate,
            "banner_rate": banner_rate,
            "connections": connections,
            "pictures": pictures,
        }
    )
    wanted = _wanted(appids or [], file, top, limit, include, released_only, kind, retry_failed, full)
    wanted = replace(wanted, allow_missing=allow_missing, keep_old=settings.keep_old)
    if wanted.appids is None and not wanted.top:
        _note_types(wanted, has_key=bool(steam.key))
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
    with bars() as report, retries():
        try:
            summary = run(place, wanted, steam, report)
        except KeyboardInterrupt:
            note("Stopped. Downloads are kept; run the same command to continue.")
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
    from steamdino.gallery.layout import KINDS
    from steamdino.pipeline.sync import SyncRequest

    ways = [bool(appids), file is not None, top > 0, limit > 0]
    if sum(ways) > 1:
        raise UsageError("appIDs, --appids, --top and --limit exclude each other; pass only one of them")
    if not 0 <= top <= 100:
        raise UsageError(f"--top is {top}; it must be from 1 to 100")
    if limit < 0:
        raise UsageError(f"--limit is {limit}; it must be at least 1")
    named: dict[int, str | None] = app_lists.read(file) if file else {}
    for text in appids:
        if refusal := steam_refusal(text):
            raise UsageError(refusal)
        named[int(text)] = None
    chosen = _among("--include", include, app_types.INCLUDABLE)
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


def _note_types(wanted: SyncRequest, *, has_key: bool) -> None:
    """Report types that Steam's lists cannot be asked for."""
    if unlisted := app_types.unlisted(wanted.include):
        note(
            f"Steam's lists cannot be asked for {', '.join(unlisted)}: only such apps that a list contains anyway are"
            " included. To add others, pass their appIDs."
        )
    if has_key and (queried := app_types.only_queried(wanted.include)):
        note(
            f"The list that needs a key has no {', '.join(queried)}, so the list that needs none is read. It does not"
            " say what changed."
        )


def _among(flag: str, text: str, known: tuple[str, ...]) -> tuple[str, ...]:
    chosen = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    for one in chosen:
        if one not in known:
            raise UsageError(f"{flag} is {text!r}; it must be among: {', '.join(known)}")
    return chosen


def _print(summary: SyncSummary, as_json: bool) -> None:
    if as_json:
        say(
            json.dumps(
                {
                    "run": dict(summary.counts),
                    "outcomes": summary.outcomes,
                    "other_types": summary.other_types,
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
    new = counted(counts["new"], "new game", "new games")
    say(
        f"{new}, {counts['details']:,} asked about; banners: {counts['fetched']:,} fetched,"
        f" {counts['unchanged']:,} unchanged, {counts['missing']:,} missing, {counts['failed']:,} failed"
        f" ({summary.requests:,} requests)."
    )
    say("In total: " + ", ".join(f"{count:,} {outcome}" for outcome, count in summary.outcomes.items()) + ".")
    if counts["other type"]:
        kinds = ", ".join(f"{count:,} {name}" for name, count in summary.other_types.items())
        note(f"Left out because they are not games: {kinds}. To add them, pass --include or their appIDs.")
    if counts["kept"]:
        note(
            f"Games that Steam's list lacks although the store shows them, and that were kept: {counts['kept']:,}."
        )
    if not summary.complete:
        note("Steam's list is incomplete; run the same command again, which reads the whole list.")
    if counts["fetched"]:
        say("Now: steam-dino build")
