"""Which file of a group of duplicates is kept and why, and names of one file, which are no duplicates."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from PIL import Image

from steamdino import Snapshot, add, build
from steamdino.errors import UsageError
from steamdino.pipeline.duplicate_groups import Duplicates
from steamdino.pipeline.duplicate_search import duplicate_ids, duplicates

Run = Callable[..., "CompletedProcess[str]"]
Art = Callable[[int], Image.Image]
SURE = ("identical", "re-encoded")


ART = ("neonoir", "jamberry", "hollow-avenue", "the-wet-precinct", "old-film-street")
"""Games of the fictional store, whose banners are the pictures of these tests."""


@pytest.fixture(scope="module")
def snapshot(built: Path) -> Snapshot:
    return Snapshot.open(built)


@pytest.fixture
def art(snapshot: Snapshot) -> Art:
    """Pictures by number: the first few, and then others that differ from them."""
    others = [game.id for game in snapshot.games(snapshot.rows()[::37]) if game.id not in ART]

    def art(number: int) -> Image.Image:
        picture = snapshot.game([*ART, *others][number]).picture
        assert picture is not None
        with Image.open(picture) as image:
            return image.convert("RGB")

    return art


@pytest.fixture
def library(tmp_path: Path, art: Art) -> Path:
    """A folder with pictures of all kinds, so that it is known what is usual."""
    (tmp_path / "p").mkdir()
    for number in range(len(ART), len(ART) + 12):
        art(number).save(tmp_path / "p" / f"other{number}.png")
    return tmp_path / "p"


def found(library: Path, *sources: Path, **options: object) -> list[Duplicates]:
    """Build a gallery of a library and more sources, and find duplicates."""
    gallery = library.parent / "gallery"
    for source in (library, *sources):
        add(gallery, source, prefix="" if source == library else f"{source.name}-")
    build(gallery)
    return duplicates(gallery, **{"tiers": SURE, **options})  # type: ignore[arg-type]


def kept(groups: list[Duplicates]) -> list[tuple[str, set[str], str]]:
    return [
        (one.representative.game_id, {o.game_id for o in one.others if o.removable}, one.reason)
        for one in groups
    ]


@pytest.mark.parametrize("link", [os.symlink, os.link], ids=["symbolic", "hard"])
def test_a_link_and_its_target_are_no_duplicates(library: Path, art: Art, link: Callable[..., None]) -> None:
    (library / "originals").mkdir()
    art(1).save(library / "originals" / "the-only-copy.png")
    link(library / "originals" / "the-only-copy.png", library / "best.png")
    assert found(library) == []


def test_a_link_is_never_kept_in_place_of_its_target(library: Path, art: Art) -> None:
    (library / "originals").mkdir()
    art(1).save(library / "originals" / "the-only-original.png")
    art(1).save(library / "originals" / "the-only-original-copied.png")
    (library / "a.png").symlink_to("originals/the-only-original.png")
    assert kept(found(library)) == [
        ("originals/the-only-original", {"originals/the-only-original-copied"}, "its id comes first")
    ]


def test_one_file_that_two_sources_have_is_no_duplicate_even_through_a_linked_folder(
    library: Path, art: Art
) -> None:
    (library / "inner").mkdir()
    art(1).save(library / "inner" / "cover.png")
    (library.parent / "linked").symlink_to(library / "inner")
    assert found(library, library.parent / "linked") == []


def test_the_gallerys_copies_of_two_files_are_duplicates(library: Path, art: Art) -> None:
    art(1).save(library / "one.png")
    art(1).save(library / "another.png")
    gallery = library.parent / "gallery"
    add(gallery, library, copy=True)
    build(gallery)
    (group,) = duplicates(gallery, tiers=SURE)
    assert [Path(one.path) for one in group.members] == [library / "one.png", library / "another.png"]


def test_all_names_of_a_file_but_one_are_left_out_where_each_picture_is_wanted_once(
    library: Path, art: Art
) -> None:
    art(1).save(library / "cover.png")
    (library / "link.png").symlink_to("cover.png")
    gallery = library.parent / "gallery"
    add(gallery, library)
    build(gallery)
    assert len(duplicate_ids(gallery)) == 1


def test_lossless_files_are_kept_then_large_ones_and_what_has_more_pixels_is_never_removable(
    library: Path,
    art: Art,
) -> None:
    art(1).save(library / "a-lossless-original.png")
    art(1).save(library / "a.jpg", quality=40)
    art(2).save(library / "b.jpg", quality=90)
    art(2).resize((450, 675), Image.Resampling.LANCZOS).save(library / "b-large.jpg", quality=90)
    art(3).save(library / "c-fine.jpg", quality=95)
    art(3).save(library / "c.jpg", quality=60)
    art(4).save(library / "d-lossless.webp", lossless=True)
    art(4).save(library / "d.webp", quality=60)
    art(0).save(library / "e.png")
    art(0).resize((450, 675), Image.Resampling.LANCZOS).save(library / "e-large.jpg", quality=90)
    assert sorted(kept(found(library))) == [
        ("a-lossless-original", {"a"}, "its file is lossless"),
        ("b-large", {"b"}, "it has the most pixels"),
        ("c-fine", {"c"}, "its file has the most bytes"),
        ("d-lossless", {"d"}, "its file is lossless"),
        ("e", set(), "its file is lossless"),
    ]


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize(
    ("rules", "best", "reason"),
    [
        ((), "late/large", "it has the most pixels"),
        (("oldest",), "early/small", "its file is the oldest"),
        (("newest",), "late/large", "its file is the newest"),
        (("bytes",), "early/small", "its file has the most bytes"),
        (("path:*/early/*",), "early/small", "its path matches */early/*"),
        (("path:*/none/*", "oldest"), "early/small", "its file is the oldest"),
    ],
)
def test_rules_choose_what_is_kept(
    library: Path, art: Art, rules: tuple[str, ...], best: str, reason: str
) -> None:
    for folder in ("early", "late"):
        (library / folder).mkdir()
    art(1).save(library / "early" / "small.jpg", quality=100, subsampling=0)
    art(1).resize((360, 540)).save(library / "late" / "large.jpg", quality=50)
    os.utime(library / "early" / "small.jpg", (10**9, 10**9))
    ((found_best, removable, why),) = kept(found(library, keep=rules))
    assert (found_best, why) == (best, reason)
    assert removable == {"early/small", "late/large"} - {best}


def test_the_source_that_was_added_first_can_be_preferred(library: Path, art: Art) -> None:
    (library.parent / "new").mkdir()
    art(1).save(library / "c.jpg", quality=60)
    art(1).save(library.parent / "new" / "a.jpg", quality=90)
    assert kept(found(library, library.parent / "new"))[0][0] == "new-a"
    assert kept(duplicates(library.parent / "gallery", tiers=SURE, keep=["source"])) == [
        ("c", {"new-a"}, "its source was added first")
    ]


def test_games_are_compared_within_or_across_folders_and_sources(library: Path, art: Art) -> None:
    for folder in ("x", "y"):
        (library / folder).mkdir()
    for name in ("x/1", "x/2", "y/3"):
        art(1).save(library / f"{name}.png")
    art(2).save(library / "y" / "4.png")
    art(2).save(library / "y" / "5.png")
    new = library.parent / "new"
    new.mkdir()
    art(2).save(new / "6.png")
    found(library, new)

    def members(compare: str) -> list[set[str]]:
        narrowed = duplicates(library.parent / "gallery", tiers=SURE, compare=compare)
        return sorted(({one.game_id for one in group.members} for group in narrowed), key=sorted)

    assert members("all") == [{"new-6", "y/4", "y/5"}, {"x/1", "x/2", "y/3"}]
    assert members("within-folders") == [{"x/1", "x/2"}, {"y/4", "y/5"}]
    assert members("across-folders") == [{"new-6", "y/4", "y/5"}, {"x/1", "x/2", "y/3"}]
    assert members("within-sources") == [{"x/1", "x/2", "y/3"}, {"y/4", "y/5"}]
    assert members("across-sources") == [{"new-6", "y/4", "y/5"}]


def test_what_cannot_be_compared_or_kept_is_an_error(library: Path) -> None:
    found(library)
    with pytest.raises(UsageError, match="'best'; choose from|'best' by which"):
        duplicates(library.parent / "gallery", keep=["best"])
    with pytest.raises(UsageError, match="'path:' by which"):
        duplicates(library.parent / "gallery", keep=["path:"])
    with pytest.raises(UsageError, match="'folders' cannot be compared"):
        duplicates(library.parent / "gallery", compare="folders")


def test_the_command_prints_paths_and_why_a_file_is_kept(library: Path, art: Art, run: Run) -> None:
    art(1).save(library / "original.png")
    art(1).save(library / "copy.jpg", quality=60)
    found(library)
    gallery = library.parent / "gallery"
    assert "kept: its file is lossless" in run("duplicates", "-g", gallery).stdout
    paths = run("duplicates", "-g", gallery, "--format", "removable", "--paths").stdout
    assert paths == f"{library / 'copy.jpg'}\n"
    (group,) = json.loads(
        run("duplicates", "-g", gallery, "--format", "json", "--keep-rule", "newest").stdout
    )
    assert group["reason"] == "its file is the newest"
    assert group["representative"]["path"] == str(library / "copy.jpg")
    refused = run("duplicates", "-g", gallery, "--paths")
    assert (refused.returncode, "--paths is for --format all or removable" in refused.stderr) == (2, True)
    refused = run("duplicates", "-g", gallery, "--keep-rule", "prettiest")
    assert (refused.returncode, "there is no rule 'prettiest'" in refused.stderr) == (2, True)
