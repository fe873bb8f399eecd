"""`steam-dino info`: what a gallery holds."""

from __future__ import annotations

import json
import os
import shlex
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from steamdino.present.cli import program
from steamdino.present.cli.console import out, say
from steamdino.present.cli.options import GalleryOptions
from steamdino.present.display_text import printable
from steamdino.settings import Settings

if TYPE_CHECKING:
    from steamdino.gallery import Gallery
    from steamdino.gallery.statistics import GalleryStatistics


UNSUCCESSFUL = ("failed", "missing", "hidden")
"""Outcomes of `sync` that are worth a line each."""


def info(
    *,
    gallery: GalleryOptions,
    problems: Annotated[
        bool, typer.Option("--problems", help="List everything that could not be used, with the reason.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show what a gallery holds: sources, counts, recipes, sizes, problems, and whether its snapshots are stale.

    The last lines are about the program itself, as `steam-dino --version` prints them: how it was installed, and which
    extras are there.

    A snapshot is stale when games or banners changed after it was built; searches still answer from it, and
    `steam-dino build` brings it up to date.

    **Examples**

        steam-dino info
        steam-dino info --problems
    """
    from steamdino.gallery import Gallery
    from steamdino.gallery.layout import VERTICAL

    with Gallery.open(gallery.folder) as opened:
        report = opened.report()
        snapshots = _snapshots(opened, report)
        found = [
            {
                "source": source,
                "stage": stage,
                "where": problem.where,
                "id": problem.id,
                "reason": problem.reason,
            }
            for source, stage, problem in opened.problems.known()
        ]
        outcomes, other_types = opened.steam_apps.outcomes(VERTICAL), opened.steam_apps.other_types()
        store = next((source.name for source in report.sources if source.kind == "store"), "")
        found += [
            {
                "source": store,
                "stage": "sync",
                "where": str(appid),
                "id": str(appid),
                "reason": reason or outcome,
            }
            for appid, outcome, reason, _ in opened.steam_apps.each_outcome(VERTICAL)
            if outcome in UNSUCCESSFUL
        ]
    if as_json:
        record = {**asdict(report), "snapshots": snapshots, "steam": outcomes, "problems": found}
        record["other_types"] = other_types
        record["program"] = program.as_record()
        say(json.dumps(record, ensure_ascii=False, indent=2, default=str))
    elif problems:
        for line in found:
            say(printable(f"{line['source']}: {line['stage']}: {line['where']}: {line['reason']}"))
        if not found:
            say("No problems.")
    else:
        _print(report, snapshots, outcomes, other_types, len(found))


def _snapshots(gallery: Gallery, report: GalleryStatistics) -> list[dict[str, Any]]:
    from steamdino.errors import SnapshotError
    from steamdino.gallery.layout import KINDS, VERTICAL
    from steamdino.index.manifest import Manifest
    from steamdino.index.snapshot_reader import SnapshotReader
    from steamdino.index.snapshot_selection import newest, newest_by_name

    answers = {kind: [folder for folder, _ in newest_by_name(gallery.root, kind).values()] for kind in KINDS}
    found = []
    for recipe, kind in product(report.recipes, KINDS):
        folder = newest(gallery.snapshots_of(recipe.hash, kind))
        if folder:
            manifest = Manifest.read(folder)
            try:
                dated = SnapshotReader(folder, exact=True).dated
            except (SnapshotError, FileNotFoundError):  # damaged or pruned; `doctor` says so
                dated = None
            stale = manifest.revision != report.revision or (kind == VERTICAL and recipe.pending > 0)
            found.append(
                {
                    "recipe": recipe.name,
                    "kind": kind,
                    "hash": recipe.hash,
                    "number": int(folder.name),
                    "games": manifest.games,
                    "dated": dated,
                    "created_at": manifest.created_at,
                    "stale": stale,
                    "superseded": folder not in answers[kind],
                    "default": folder in answers[kind][:1],
                    "similarity": manifest.similarity.usual if manifest.similarity else None,
                    "index": manifest.index,
                    "recall": manifest.recall,
                    "neighbours": manifest.neighbours,
                }
            )
    return found


def _build_command(root: Path, made: dict[str, Any]) -> str:
    """The command that brings a snapshot up to date."""
    from steamdino.gallery.layout import VERTICAL

    usual = Settings.load({})
    words = ["steam-dino build"]
    if str(root) != os.path.abspath(usual.gallery):  # noqa: PTH100 (absolute() keeps "..")
        words.append(f"-g {shlex.quote(str(root))}")
    if made["recipe"] != usual.recipe:
        words.append(f"--recipe {made['recipe']}")
    if made["kind"] != VERTICAL:
        words.append(f"--kind {made['kind']}")
    return " ".join(words)


def _print(
    report: GalleryStatistics,
    snapshots: list[dict[str, Any]],
    outcomes: dict[str, int],
    other_types: dict[str, int],
    problems: int,
) -> None:
    from rich.table import Table
    from rich.text import Text

    from steamdino.gallery.layout import VERTICAL

    console = out()
    console.print(Text(f"Gallery {report.root}", style="bold"))

    def table(title: str, *headings: str) -> Table:
        made = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
        for heading in headings:
            made.add_column(
                heading, justify="left" if heading in ("name", "where", "recipe", "model") else "right"
            )
        return made

    sources = table("\nSources", "name", "kind", "games", "banners", "missing", "problems", "where")
    for s in report.sources:
        counts = (f"{n:,}" for n in (s.games, s.banners, s.gone, s.problems))
        unfinished = "" if s.scanned_at else "  (not yet read to its end: add it again)"
        sources.add_row(
            Text(printable(s.name)), s.kind, *counts, Text(printable(f"{s.location}{unfinished}"))
        )
    console.print(sources)

    if outcomes:
        console.print(Text(f"\nSteam: {_counted(outcomes)}"))
        if other_types:
            console.print(Text(f"  Other types: {_counted(other_types)}", style="dim"))

    recipes = table("\nRecipes", "recipe", "hash", "model", "dims", "vectors", "to encode", "MB")
    for r in report.recipes:
        vectors = _counted(r.vectors) or "0"
        recipes.add_row(
            r.name, r.hash, r.model, str(r.dim), vectors, f"{r.pending:,}", f"{r.size / 1e6:,.1f}"
        )
    console.print(recipes if report.recipes else Text("\nNo recipe yet; run: steam-dino build"))

    for made in snapshots:
        kind = "" if made["kind"] == VERTICAL else f", {made['kind']}"
        state = "stale" if made["stale"] else "up to date"
        if made["superseded"]:
            state = f"superseded ({made['hash']}): a later build answers for that recipe"
        elif made["default"] and sum(other["kind"] == made["kind"] for other in snapshots) > 1:
            state += "; it answers where no recipe is named"
        if made["stale"] and not made["superseded"]:
            state += f"; run: {_build_command(report.root, made)}"
        console.print(
            Text(f"\nSnapshot {made['number']} of {made['recipe']}{kind}: {made['games']:,} games, {state}")
        )
        if made["dated"]:
            console.print(Text(f"  Release dates: {made['dated']:,} of {made['games']:,} games", style="dim"))
        if usual := made["similarity"]:
            console.print(
                Text(
                    f"  Usual cosines: two banners {usual['pairs']:.2f}, a banner and its nearest"
                    f" {usual['nearest']:.2f}; alike from {usual['alike']:.2f} on",
                    style="dim",
                )
            )
        console.print(Text(f"  Search index: {_index(made)}", style="dim"))
        stored = f"{made['neighbours']:,} of each game" if made["neighbours"] else "none"
        console.print(Text(f"  Stored neighbours: {stored}", style="dim"))
    sizes = ", ".join(f"{name} {size / 1e6:,.1f} MB" for name, size in report.sizes.items())
    console.print(Text(f"\nSizes: {sizes}"))
    if problems:
        console.print(Text(f"{problems:,} problems; see: steam-dino info --problems", style="yellow"))
    first, *rest = program.as_lines()
    console.print(Text(f"\n{first}"))
    for line in rest:
        console.print(Text(f"  {printable(line)}", style="dim"))


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


def _index(made: dict[str, Any]) -> str:
    found = "" if made["recall"] is None else f"{100 * made['recall']:.2f} % of the ten nearest neighbours"
    if not found:
        return f"{made['index']}"
    if made["index"] == "exact":
        return f"exact, since a quantised one found only {found}"
    return f"{made['index']}, finds {found}"
