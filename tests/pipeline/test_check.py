from __future__ import annotations

import shutil
import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

import steamdino
from steamdino.errors import SnapshotError, UsageError
from steamdino.gallery import Gallery
from steamdino.gallery.curation import Decision
from steamdino.pipeline.check import check
from steamdino.pipeline.decisions import decide, read_decisions
from steamdino.pipeline.duplicate_groups import Duplicates
from steamdino.pipeline.duplicate_search import duplicates
from steamdino.pipeline.exclusions import exclude, restore
from steamdino.sample import FictionalGame
from steamdino.search.filter_parser import filter_of

Store = tuple[Path, tuple[FictionalGame, ...]]
COPIES = ("exact", "reencoded", "cmyk", "large", "greyscale", "alpha", "palette")
"""Defects whose `duplicate_of` shows the same picture."""


def members(groups: list[Duplicates], *tiers: str) -> list[set[str]]:
    return [{one.game_id for one in group.members} for group in groups if group.tier in tiers]


@pytest.fixture
def truth(fictional_store: Store) -> dict[str, FictionalGame]:
    return {game.id: game for game in fictional_store[1]}


def test_the_flaws_that_the_store_was_drawn_with_are_found(
    gallery_with_pictures: Path, truth: dict[str, FictionalGame]
) -> None:
    gallery = gallery_with_pictures
    checked = check(gallery)
    assert checked.sizes == ((300, 450),)
    by_flaw = defaultdict(set)
    for one in checked.findings:
        by_flaw[one.flaw].add(one.game_id)
    drawn = defaultdict(set)
    for game in truth.values():
        drawn[game.defect].add(game.id)
    assert by_flaw["blank"] == drawn["blank"]
    assert by_flaw["odd-aspect"] == drawn["horizontal"]
    assert by_flaw["odd-size"] == drawn["horizontal"] | drawn["large"]
    assert by_flaw["bands"] >= drawn["cmyk"] | drawn["palette"] | drawn["alpha"]
    assert by_flaw["unreadable"] <= drawn["broken"]
    assert by_flaw["unreadable"]
    assert by_flaw["grey"] >= drawn["greyscale"]
    flagged = by_flaw["dark"] | by_flaw["light"] | by_flaw["low-information"] | by_flaw["border"]
    ordinary = {game.id for game in truth.values() if not game.defect}
    assert len(flagged & ordinary) <= 0.02 * len(ordinary)  # hardly an ordinary one is called flawed


@pytest.mark.slow
def test_several_usual_formats_give_no_flaw_and_a_stray_one_does(tmp_path: Path) -> None:
    for number in range(120):
        size = ((200, 300), (400, 600), (460, 215))[number % 3]
        Image.effect_noise(size, 80).save(tmp_path / f"{number}.png")
    steamdino.add(tmp_path / "g", tmp_path)
    odd = {"odd-size", "odd-aspect"}
    assert not odd & {one.flaw for one in steamdino.check(tmp_path / "g").findings}
    (tmp_path / "more").mkdir()
    Image.effect_noise((300, 300), 80).save(tmp_path / "more" / "square.png")
    steamdino.add(tmp_path / "g", tmp_path / "more")
    found = [(one.game_id, one.flaw) for one in steamdino.check(tmp_path / "g").findings if one.flaw in odd]
    assert found == [("square", "odd-size"), ("square", "odd-aspect")]


def test_a_threshold_decides_what_counts_as_a_flaw_without_measuring_again(tmp_path: Path) -> None:
    Image.effect_noise((200, 300), 80).convert("RGB").save(tmp_path / "grey.png")
    steamdino.add(tmp_path / "g", tmp_path)
    assert [(one.flaw, one.score) for one in steamdino.check(tmp_path / "g").findings] == [("grey", 0.0)]
    again = steamdino.check(tmp_path / "g", thresholds=steamdino.Thresholds(grey=0.0, low_information=1.0))
    assert [one.flaw for one in again.findings] == ["low-information"]
    assert again.measured == 0


def test_identical_and_re_encoded_pictures_are_found_and_told_apart(
    built: Path, truth: dict[str, FictionalGame]
) -> None:
    groups = duplicates(built)
    exact = {(game.id, game.duplicate_of) for game in truth.values() if game.defect == "exact"}
    found = {
        (one, other)
        for group in members(groups, "identical")
        for one in group
        for other in group
        if (one, other) in exact
    }
    assert found == exact
    blank = {game.id for game in truth.values() if game.defect == "blank"}
    others = [group for group in members(groups, "identical") if not group & blank]
    assert len(others) == len(exact)  # and nothing else
    copies = {(g.id, g.duplicate_of) for g in truth.values() if g.defect in COPIES[1:] and g.duplicate_of}
    grey = {pair for pair in copies if truth[pair[0]].defect == "greyscale"}
    assert not any(set(pair) <= group for pair in grey for group in members(groups, "re-encoded"))
    copies -= grey  # whoever removes the picture in colour has lost something
    same = list(members(groups, "identical", "re-encoded"))
    recalled = {pair for pair in copies if any(set(pair) <= group for group in same)}
    assert recalled == copies
    wrong = [
        group
        for group in members(groups, "re-encoded")
        if len({truth[one].duplicate_of or one for one in group}) > 1
    ]
    assert wrong == []
    assert all(
        group.tier in ("identical", "re-encoded")
        for group in groups
        if any(m.removable for m in group.members)
    )


def test_mirrored_ones_and_reskins_are_near(built: Path, truth: dict[str, FictionalGame]) -> None:
    groups = members(duplicates(built, tiers=("near",)), "near")
    changed = {(g.id, g.duplicate_of) for g in truth.values() if g.defect in ("mirrored", "reskin")}
    found = {pair for pair in changed if any(set(pair) <= group for group in groups)}
    assert len(found) >= 0.5 * len(changed)


def test_the_largest_picture_is_kept(built: Path, truth: dict[str, FictionalGame]) -> None:
    groups = duplicates(built, tiers=("re-encoded",))
    sizes = [[one.width * one.height for one in group.members] for group in groups]
    assert sizes
    assert all(pixels[0] == max(pixels) for pixels in sizes)
    assert not any(group.representative.removable for group in groups)


def test_a_filter_keeps_to_its_games(built: Path, truth: dict[str, FictionalGame]) -> None:
    everything = duplicates(built, tiers=("near",))
    tag = truth[everything[0].representative.game_id].tags[0]
    found = duplicates(built, tiers=("near",), only=filter_of([tag]))
    assert 0 < len(found) < len(everything)
    assert all(tag in truth[one.game_id].tags for group in found for one in group.members)


@pytest.mark.slow
def test_each_picture_is_measured_once(gallery_with_pictures: Path) -> None:
    gallery = gallery_with_pictures
    with closing(sqlite3.connect(gallery / "gallery.sqlite")) as db, db:
        db.execute("DELETE FROM measures")  # of the first page, by `build`, and of what other tests looked at
    first, second = check(gallery), check(gallery)
    assert first.measured > 400
    unreadable = {one.game_id for one in second.findings if one.flaw == "unreadable"}
    assert second.measured == len(unreadable)
    assert first.findings == second.findings


@pytest.mark.slow
def test_what_is_excluded_leaves_the_searches_and_comes_back(
    gallery_with_pictures: Path, truth: dict[str, FictionalGame]
) -> None:
    gallery = gallery_with_pictures
    found = check(gallery).findings
    before = steamdino.Snapshot.open(gallery)
    blank = sorted(game.id for game in truth.values() if game.defect == "blank")
    assert exclude(gallery, found, ["blank"]) == len(blank)
    assert exclude(gallery, found, ["blank"]) == 0
    summary = steamdino.build(gallery)
    assert (summary.encoded, summary.swapped) == (0, True)
    after = steamdino.Snapshot.open(gallery)
    assert set(before.ids) - set(after.ids) == set(blank)
    with pytest.raises(steamdino.SteamDinoError, match=r"excluded \(blank\).*check --restore"):
        after.similar(blank[0])
    assert restore(gallery, ["dark"]) == 0
    assert restore(gallery, None) == len(blank)
    steamdino.build(gallery)
    again = steamdino.Snapshot.open(gallery)
    assert again.ids == before.ids
    assert (again.vectors == before.vectors).all()


@pytest.mark.slow
def test_decisions_are_kept_through_a_rescan_another_recipe_and_a_move(
    gallery_with_pictures: Path, fictional_store: Store, tmp_path: Path
) -> None:
    gallery = gallery_with_pictures
    group = next(group for group in duplicates(gallery, tiers=("re-encoded",)) if len(group.others) == 1)
    one, other = group.representative.game_id, group.others[0].game_id
    two = [game.id for game in fictional_store[1] if not game.defect][:2]
    decide(gallery, [Decision(other, one, "different"), Decision(*two, "same"), Decision(two[1], "", "keep")])

    def check_decided(place: Path) -> None:
        found = duplicates(place, tiers=("identical", "re-encoded"))
        assert not any({one, other} <= group for group in members(found, "re-encoded"))
        joined = next(g for g in found if set(two) <= {m.game_id for m in g.members})
        assert {m.game_id: m.removable for m in joined.members}[two[1]] is False

    check_decided(gallery)
    steamdino.add(gallery, fictional_store[0] / "catalogue.csv")
    steamdino.build(gallery, rebuild=True)
    check_decided(gallery)
    steamdino.build(gallery, "bundled/96x144")
    check_decided(gallery)
    moved = tmp_path / "elsewhere"
    shutil.move(gallery.parent, moved)
    check_decided(moved / "gallery")


@pytest.mark.slow
def test_a_game_that_is_to_be_kept_is_not_excluded(
    gallery_with_pictures: Path, truth: dict[str, FictionalGame]
) -> None:
    gallery = gallery_with_pictures
    blank = sorted(game.id for game in truth.values() if game.defect == "blank")
    decide(gallery, [Decision(blank[0], "", "keep")])
    assert exclude(gallery, check(gallery).findings, ["blank"]) == len(blank) - 1


def test_a_placeholder_is_a_picture_that_many_games_of_different_names_show(tmp_path: Path) -> None:
    from PIL import Image

    (tmp_path / "covers").mkdir()
    for n in range(8):
        colour = (200, 30, 30) if n < 6 else (n * 20, 200, 30)
        Image.new("RGB", (30, 45), colour).save(tmp_path / f"covers/game {n}.png")
    steamdino.add(tmp_path / "g", tmp_path / "covers")
    found = [one for one in check(tmp_path / "g").findings if one.flaw == "placeholder"]
    assert [one.game_id for one in found] == [f"game {n}" for n in range(6)]
    assert "6 games" in found[0].detail


@pytest.mark.slow
def test_without_a_build_flaws_are_found_and_duplicates_say_what_to_do(
    tmp_path: Path, fictional_store: Store
) -> None:
    steamdino.add(tmp_path / "g", fictional_store[0] / "catalogue.csv")
    checked = check(tmp_path / "g")
    assert not checked.compared
    assert Counter(one.flaw for one in checked.findings)["blank"] == 4
    with pytest.raises(SnapshotError, match="steam-dino build"):
        duplicates(tmp_path / "g")


def test_a_file_of_decisions_is_read_or_its_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "decisions.txt"
    path.write_text("# mine\n730 different 570\n\nkeep 440\ngame 1\tsame\tgame 2\n", "utf-8")
    assert read_decisions(path) == [
        Decision("730", "570", "different"),
        Decision("440", "", "keep"),
        Decision("game 1", "game 2", "same"),
    ]
    for line in ("730 570", "730 equals 570", "730 same 730", "keep", "a b c d"):
        path.write_text(f"keep 1\n{line}\n")
        with pytest.raises(UsageError, match=f"line 2: '{line}' is not a decision"):
            read_decisions(path)
    with pytest.raises(UsageError, match="does not exist"):
        read_decisions(tmp_path / "none")


def test_a_decision_about_an_unknown_game_changes_nothing(gallery_with_pictures: Path) -> None:
    gallery = gallery_with_pictures
    ids = steamdino.Snapshot.open(gallery).ids
    with pytest.raises(UsageError, match="there is no game 'nobody'"):
        decide(gallery, [Decision(ids[0], ids[1], "same"), Decision(ids[0], "nobody", "same")])
    with Gallery.open(gallery) as opened:
        assert list(opened.curation.decisions()) == []
