"""Groups of duplicates as a folder of pages, which link scaled copies of the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from steamdino.analysis.duplicate_detection import TIERS
from steamdino.pipeline.duplicate_groups import Duplicates, Member
from steamdino.present.export.check_report import decision_line, tier_counts
from steamdino.present.export.html_page import render
from steamdino.present.export.output_folders import PAGE, replacing_folder
from steamdino.present.export.scaled_pictures import MARK, ScaledPictures, banner_place
from steamdino.records import Progress
from steamdino.wellformed import is_sha256

KIND = "list of duplicates"
GROUPS = 50
"""Groups on a page."""
BLOCK = 1000
"""Pictures that are scaled between two looks at Ctrl-C."""


def is_folder(path: Path) -> bool:
    """Return whether `--html` means a folder: one that is there, or a new name without a suffix."""
    return path.is_dir() or (not path.exists() and not path.suffix and str(path) != "-")


def write_pages(folder: Path, groups: Sequence[Duplicates], *, threads: int, progress: Progress) -> int:
    """Write groups as numbered pages; replace an older folder of this kind only when the new one is whole.

    Args:
        folder: where.
        groups: in their order; `GROUPS` go on each page.
        threads: pictures scaled at the same time.
        progress: called with (done, total) of the pictures.

    Returns:
        the number of pages.

    Raises:
        UsageError: the folder holds something else.
        OutputError: it cannot be written, or another process is writing it.
    """
    pages = [groups[start : start + GROUPS] for start in range(0, len(groups), GROUPS)] or [groups]
    with replacing_folder(folder, KIND, f"{KIND} {MARK}", "--html") as (work, _):
        pictures = _scaled(work, groups, threads, progress)
        first = {tier: next((n for n, page in enumerate(pages) if _has(page, tier)), 0) for tier in TIERS}
        for number, page in enumerate(pages):
            text = render(
                "groups.html.jinja",
                kind=KIND,
                title="Banners that show the same",
                groups=page,
                counts=tier_counts(groups),
                seen=[tier for tier in TIERS if first[tier] < number],
                line=decision_line,
                thumbnail=None,
                picture_of=lambda one: pictures.get(one.sha256),
                page_of=lambda tier: "" if first[tier] == number else _name(first[tier]),  # noqa: B023
                before=_name(number - 1) if number else "",
                after=_name(number + 1) if number + 1 < len(pages) else "",
                number=number + 1,
                pages=len(pages),
            )
            (work / _name(number)).write_text(text, "utf-8")
    return len(pages)


def _scaled(work: Path, groups: Sequence[Duplicates], threads: int, progress: Progress) -> dict[str, str]:
    """Write each picture once; return the places of those that could be read, by sha256."""
    different = {one.sha256: one for group in groups for one in group.members if is_sha256(one.sha256)}
    members: list[Member] = list(different.values())
    scaled = ScaledPictures(work, None, threads)
    done = 0

    def written() -> None:
        nonlocal done
        done += 1
        progress(done, len(members))

    found: dict[str, str] = {}
    for start in range(0, len(members), BLOCK):
        block = members[start : start + BLOCK]
        for one, has in zip(block, scaled.write(block, written), strict=True):
            if has:
                found[one.sha256] = banner_place(one.sha256)
    scaled.tidy(frozenset(found.values()))
    for path in work.glob("*.html"):  # of an earlier attempt, maybe with more groups
        path.unlink()
    return found


def _has(page: Sequence[Duplicates], tier: str) -> bool:
    return any(group.tier == tier for group in page)


def _name(number: int) -> str:
    return PAGE if number == 0 else f"page-{number + 1}.html"
