"""Examines all banners of a gallery, finds those that show the same, and remembers what a person decides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from steamdino.analysis.duplicates import (
    IDENTICAL,
    RE_ENCODED,
    TIERS,
    DuplicatePair,
    Group,
    find_pairs,
    groups,
)
from steamdino.analysis.evaluation.baselines import difference_hash
from steamdino.analysis.flaws import Flaw, findings, usual_size
from steamdino.analysis.picture_loading import each
from steamdino.banners.decode import decode
from steamdino.banners.quality import VERSION, measure
from steamdino.banners.read import read
from steamdino.errors import NoSnapshotError, PictureError, UsageError
from steamdino.gallery import Gallery
from steamdino.gallery.curation import DIFFERENT, KEEP, SAME, Decision, Shown
from steamdino.gallery.layout import VERTICAL, located
from steamdino.index.reader import SnapshotReader
from steamdino.index.snapshot_selection import open_newest
from steamdino.index.vector_index import Index
from steamdino.records import Filter, Progress

COMMIT_EVERY = 500
"""Pictures between two commits of what was measured."""


@dataclass(frozen=True, slots=True)
class Member:
    """A game in a group of duplicates.

    Attributes:
        game_id, name: the game's.
        picture: its banner's file.
        width, height: of it, in pixels.
        similarity: cosine to the representative; None if only others of the group connect them.
        removable: it can go without losing a picture: the representative shows the same, and nobody said to keep it.
    """

    game_id: str
    name: str
    picture: Path
    width: int
    height: int
    similarity: float | None
    removable: bool


@dataclass(frozen=True, slots=True)
class Duplicates:
    """A group of games whose banners show the same: the one to keep, and the others."""

    tier: str
    representative: Member
    others: tuple[Member, ...]

    @property
    def members(self) -> tuple[Member, ...]:
        """All of them, the one to keep first."""
        return (self.representative, *self.others)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check came to.

    Attributes:
        banners: that were looked at.
        measured: of them, pictures that were measured this time.
        size: that banners should have; None if there is no usual one.
        findings: the flaws.
        compared: whether vectors were there to find re-encoded pictures by.
    """

    banners: int
    measured: int
    size: tuple[int, int] | None
    findings: tuple[Flaw, ...]
    compared: bool


def check(
    gallery: str | Path,
    *,
    kind: str = VERTICAL,
    size: tuple[int, int] | None = None,
    threads: int = 1,
    progress: Progress | None = None,
) -> Checked:
    """Looks for flaws in all banners of a gallery. Pictures that were measured before are not decoded again.

    Args:
        gallery: its folder.
        kind: of banner.
        size: (width, height) that banners should have; None for what most of them have.
        threads: pictures decoded at the same time.
        progress: called with (done, total).

    Raises:
        GalleryError: there is none, or it cannot be written to.
    """
    with Gallery.write(gallery, "check") as opened:
        shown = opened.curation.shown(kind)
        known = opened.curation.measures(VERSION)
        missing = list({one.sha256: one for one in shown if one.sha256 not in known}.values())
        unreadable = _measure(opened, missing, known, threads, progress)
        expected = size or usual_size(shown)
        found = list(findings(shown, known, unreadable, expected))
        root = opened.root
        try:
            same = duplicates(root, kind=kind, tiers=(IDENTICAL, RE_ENCODED))
            compared = True
        except NoSnapshotError:
            same, compared = [], False
        paths = {one.game_id: one.path for one in shown}
        told: set[str] = set()
        for group in same:
            for member in group.others:
                if member.game_id in told:  # a copy of one, and re-encoded from another
                    continue
                told.add(member.game_id)
                detail = f"the same as {group.representative.game_id}"
                score = 0.0 if group.tier == IDENTICAL else 1 - (member.similarity or 0.0)
                found.append(
                    Flaw(
                        member.game_id,
                        member.name,
                        paths.get(member.game_id, ""),
                        group.tier,
                        round(max(score, 0.0), 4),
                        detail,
                    )
                )
        return Checked(len(shown), len(missing), expected, tuple(found), compared)


def expected_size(gallery: str | Path, kind: str = VERTICAL) -> tuple[int, int] | None:
    """The (width, height) that most banners of a gallery have; None if there is no such size.

    Raises:
        GalleryError: there is no gallery.
    """
    with Gallery.open(gallery) as opened:
        return usual_size(opened.curation.shown(kind))


def exclude(gallery: str | Path, found: Iterable[Flaw], flaws: Sequence[str]) -> int:
    """Makes searches skip the games that have one of these flaws, from the next build on; returns how many are new.

    Games that a person said to keep are not skipped.
    """
    with Gallery.write(gallery, "check") as opened, opened.transaction():
        kept = {one.game for one in opened.curation.decisions() if one.verdict == KEEP}
        return opened.curation.exclude(
            {one.game_id: one.flaw for one in found if one.flaw in flaws and one.game_id not in kept}
        )


def restore(gallery: str | Path, flaws: Sequence[str] | None) -> int:
    """Takes games back that were excluded for some flaws, or for any; returns how many."""
    with Gallery.write(gallery, "check") as opened, opened.transaction():
        return opened.curation.restore(flaws)


def decide(gallery: str | Path, decisions: Sequence[Decision]) -> None:
    """Notes a person's decisions.

    Raises:
        UsageError: a game is not in the gallery.
    """
    with Gallery.write(gallery, "check") as opened, opened.transaction():
        known = {one.game_id for one in opened.curation.shown(VERTICAL)}
        for one in decisions:
            for game in (one.game, one.other):
                if game and game not in known:
                    raise UsageError(f"there is no game {game!r} with a banner; nothing was noted")
        opened.curation.decide(decisions)


def read_decisions(path: Path) -> list[Decision]:
    """Reads a file of decisions: "A same B", "A different B" or "keep A" on each line, tabs between ids with spaces.

    Raises:
        UsageError: there is no such file, or a line cannot be read; the text names it.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except FileNotFoundError:
        raise UsageError(f"there is no {path}; name a file of decisions") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from None
    made = []
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip() if line.lstrip().startswith("#") else line.strip()
        if not text:
            continue
        parts = text.split("\t") if "\t" in text else text.split()
        if len(parts) == 2 and parts[0] == KEEP:
            made.append(Decision(parts[1], "", KEEP))
        elif len(parts) == 3 and parts[1] in (SAME, DIFFERENT) and parts[0] != parts[2]:
            made.append(Decision(parts[0], parts[2], parts[1]))
        else:
            raise UsageError(
                f"{path}, line {number}: {line[:80]!r} is no decision; write: A same B, A different B, or keep A"
            )
    return made


def duplicates(
    gallery: str | Path,
    recipe: str | None = None,
    *,
    kind: str = VERTICAL,
    tiers: Sequence[str] = TIERS[:3],
    only: Filter | None = None,
    progress: Progress | None = None,
) -> list[Duplicates]:
    """Groups of games whose banners show the same, the strictest tier first.

    Args:
        gallery: its folder.
        recipe: by whose vectors; None for the newest.
        kind: of banner.
        tiers: which to look for, of `analysis.duplicates.TIERS`.
        only: among which games; None for all, adult-only ones included.
        progress: called with (done, total) of the games.

    Raises:
        SnapshotError: the gallery is not built yet.
        UsageError: there is no such tier.
    """
    for tier in tiers:
        if tier not in TIERS:
            raise UsageError(f"there is no tier {tier!r}; there are: {', '.join(TIERS)}")
    reader = open_newest(Path(gallery), recipe, kind=kind)
    with Gallery.open(gallery) as opened:
        known = {one.game_id: one for one in opened.curation.shown(kind)}
        decisions = list(opened.curation.decisions())
        root = opened.root
    allowed = reader.allowed(only) if only is not None else None
    return _groups(reader, known, root, decisions, tiers, allowed, progress)


def copies(
    gallery: str | Path, recipe: str | None = None, *, kind: str = VERTICAL, progress: Progress | None = None
) -> set[str]:
    """The ids of games whose banner is another one's again, written anew or not; of each group one is left.

    Raises:
        SnapshotError: the gallery is not built yet.
    """
    same = duplicates(gallery, recipe, kind=kind, tiers=(IDENTICAL, RE_ENCODED), progress=progress)
    # A group's own representative may be a copy in a group of another tier.
    return {member.game_id for group in same for member in group.others}


def _measure(
    gallery: Gallery,
    missing: Sequence[Shown],
    known: dict[str, dict[str, float]],
    threads: int,
    progress: Progress | None,
) -> dict[str, str]:
    """Measures pictures, stores that, and adds it to what is known; returns why some cannot be decoded."""
    unreadable: dict[str, str] = {}
    root = str(gallery.root)

    def look(one: Shown) -> tuple[Shown, dict[str, float] | str]:
        try:
            return one, measure(decode(read(located(one.path, root)).data))
        except PictureError as error:
            return one, str(error)

    waiting: list[tuple[str, Mapping[str, float]]] = []
    for done, (one, result) in enumerate(each(look, missing, threads), 1):
        if isinstance(result, str):
            unreadable[one.sha256] = result
        else:
            known[one.sha256] = result
            waiting.append((one.sha256, result))
        if progress:
            progress(done, len(missing))
        if len(waiting) >= COMMIT_EVERY or done == len(missing):
            with gallery.transaction():
                gallery.curation.put_measures(VERSION, waiting)
            waiting = []
    return unreadable


def _groups(
    reader: SnapshotReader,
    known: Mapping[str, Shown],
    root: Path,
    decisions: Sequence[Decision],
    tiers: Sequence[str],
    allowed: NDArray[np.bool_] | None,
    progress: Progress | None,
) -> list[Duplicates]:
    ids = reader.ids
    row_of = {game_id: row for row, game_id in enumerate(ids)}
    similarity = reader.manifest.similarity
    usual = similarity.usual["pairs"] if similarity else 0.0
    found = find_pairs(
        reader.index, reader.sha256s, usual, _hashes(ids, known, root), tiers=tiers, progress=progress
    )
    pairs = [
        pair
        for pair in _decided(found, decisions, row_of, reader.index)
        if allowed is None or (allowed[pair.first] and allowed[pair.second])
    ]
    kept = {one.game for one in decisions if one.verdict == KEEP}

    def rank(row: int) -> tuple[object, ...]:
        one = known.get(ids[row])
        pixels = one.width * one.height if one else 0
        return (ids[row] not in kept, -pixels, len(ids[row]), ids[row])

    names = {
        game.id: game.name for game in reader.games(sorted({r for p in pairs for r in (p.first, p.second)}))
    }
    made = []
    for group in groups(pairs, rank):
        if group.tier in tiers:
            made.append(_duplicates(group, ids, names, known, root, kept, reader.index))
    return made


def _duplicates(
    group: Group,
    ids: Sequence[str],
    names: Mapping[str, str],
    known: Mapping[str, Shown],
    root: Path,
    kept: set[str],
    index: Index,
) -> Duplicates:
    def member(row: int, similarity: float | None, *, first: bool = False) -> Member:
        game_id = ids[row]
        one = known.get(game_id)
        return Member(
            game_id,
            names[game_id],
            located(one.path, str(root)) if one else Path(),
            one.width if one else 0,
            one.height if one else 0,
            similarity,
            not first and group.tier in (IDENTICAL, RE_ENCODED) and game_id not in kept,
        )

    return Duplicates(
        group.tier,
        member(group.representative, None, first=True),
        tuple(member(row, index.similarity(row, group.representative)) for row in group.others),
    )


def _hashes(
    ids: Sequence[str], known: Mapping[str, Shown], root: Path
) -> Callable[[int], NDArray[np.uint8] | None]:
    """Hashes of pictures, made when they are asked for: only those of close pairs are."""
    made: dict[int, NDArray[np.uint8] | None] = {}

    def hash_of(row: int) -> NDArray[np.uint8] | None:
        if row not in made:
            one = known.get(ids[row])
            try:
                image: Image.Image | None = decode(read(located(one.path, str(root))).data) if one else None
            except PictureError:
                image = None
            made[row] = None if image is None else difference_hash(image)
        return made[row]

    return hash_of


def _decided(
    pairs: Sequence[DuplicatePair],
    decisions: Sequence[Decision],
    row_of: Mapping[str, int],
    index: Index,
) -> list[DuplicatePair]:
    """Pairs after a person's word: what is different goes, what is the same counts as re-encoded."""
    verdicts = {
        tuple(sorted((row_of[one.game], row_of[one.other]))): one.verdict
        for one in decisions
        if one.other and one.game in row_of and one.other in row_of
    }
    left = [pair for pair in pairs if verdicts.get((pair.first, pair.second)) is None]
    return left + [
        DuplicatePair(first, second, RE_ENCODED, index.similarity(first, second))
        for (first, second), verdict in sorted(verdicts.items())
        if verdict == SAME
    ]
