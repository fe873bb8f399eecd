"""`steam-dino check` and `steam-dino duplicates` as whole processes."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import steamdino
from steamdino.analysis.flaws import Flaw
from steamdino.pipeline.duplicate_search import duplicates
from steamdino.present.export import check_report, duplicate_pages
from steamdino.sample import FictionalGame

Run = Callable[..., "CompletedProcess[str]"]
Store = tuple[Path, tuple[FictionalGame, ...]]


@pytest.mark.slow
def test_a_check_prints_counts_with_examples_and_writes_a_page_with_pictures(
    run: Run, gallery_with_pictures: Path, tmp_path: Path
) -> None:
    gallery = gallery_with_pictures
    done = run("check", "-g", gallery, "--html", tmp_path / "flaws.html")
    assert done.returncode == 0
    assert "usual sizes: 300x450" in done.stdout
    lines = {line.split()[0]: line for line in done.stdout.splitlines()[2:]}
    assert lines["blank"].split()[1] == "4"
    assert {"identical", "re-encoded", "odd-size", "bands"} <= set(lines)
    page = (tmp_path / "flaws.html").read_text("utf-8")
    assert page.count('<img src="data:image/jpeg') > 10
    assert "<script" not in page
    found = json.loads(run("check", "-g", gallery, "--format", "json").stdout)
    assert {"game_id", "name", "path", "flaw", "score", "detail"} == set(found[0])
    rows = list(csv.DictReader(io.StringIO(run("check", "-g", gallery, "--format", "csv").stdout)))
    assert len(rows) == len(found)
    assert all(0 <= float(row["score"]) <= 1 for row in rows)


@pytest.mark.slow
def test_thresholds_come_from_options_then_the_environment_then_the_file(
    run: Run, gallery_with_pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def details(*arguments: str) -> set[str]:
        found = json.loads(run("check", "-g", gallery_with_pictures, "--format", "json", *arguments).stdout)
        return {one["detail"].split()[-1] for one in found if one["flaw"] == "low-information"}

    assert details() == set()
    (tmp_path / "steamdino.toml").write_text("[check]\nlow_information = 0.97\nblurry = 1.0\n")
    assert details() == {"0.97"}
    monkeypatch.setenv("STEAMDINO_CHECK_LOW_INFORMATION", "0.98")
    assert details() == {"0.98"}
    assert details("--threshold", "low-information=0.99", "--threshold", "blurry=0") == {"0.99"}
    assert details("--threshold", "low-information=0") == set()


@pytest.mark.slow
def test_excluding_is_told_and_undone(run: Run, gallery_with_pictures: Path) -> None:
    gallery = gallery_with_pictures
    done = run("check", "-g", gallery, "--exclude", "blank")
    assert "4 more games will be skipped; run: steam-dino build" in done.stderr
    assert "stale" in run("info", "-g", gallery).stdout
    done = run("check", "-g", gallery, "--restore", "all")
    assert done.stderr == "4 games are included again; run: steam-dino build\n"


def test_duplicates_come_as_a_table_json_csv_lists_and_a_page(
    run: Run, gallery_with_pictures: Path, tmp_path: Path
) -> None:
    gallery = gallery_with_pictures
    groups = duplicates(gallery)
    done = run("duplicates", "-g", gallery, "--per-page", "5", "--html", tmp_path / "d.html")
    assert done.returncode == 0
    assert done.stdout.startswith(f"{len(groups):,} groups: 6 identical")
    assert f"Page 1 of {-(-len(groups) // 5)}" in done.stdout
    assert "safe to remove" in done.stdout
    page = (tmp_path / "d.html").read_text("utf-8")
    assert page.count("<section") == len(groups)
    assert f"{groups[0].representative.game_id} different {groups[0].others[0].game_id}" in page
    record = json.loads(run("duplicates", "-g", gallery, "--format", "json").stdout)
    assert [group["tier"] for group in record] == [group.tier for group in groups]
    rows = list(csv.DictReader(io.StringIO(run("duplicates", "-g", gallery, "--format", "csv").stdout)))
    assert sum(row["keep"] == "true" for row in rows) == len(groups)
    everyone = run(
        "duplicates", "-g", gallery, "--format", "all", "--tier", "identical,re-encoded"
    ).stdout.split()
    removable = run("duplicates", "-g", gallery, "--format", "removable").stdout.split()
    assert set(removable) < set(everyone)
    for group in groups:
        if group.tier in ("identical", "re-encoded"):
            assert group.representative.game_id in everyone


def test_the_groups_of_one_game_are_those_that_it_is_in(
    run: Run, gallery_with_pictures: Path, fictional_store: Store
) -> None:
    gallery = gallery_with_pictures
    game = next(game for game in fictional_store[1] if game.defect == "exact")
    record = json.loads(run("duplicates", game.id, "-g", gallery, "--format", "json").stdout)
    assert record
    for group in record:
        assert game.id in {one["game_id"] for one in (group["representative"], *group["others"])}


def test_a_decision_in_a_file_takes_effect(run: Run, gallery_with_pictures: Path, tmp_path: Path) -> None:
    gallery = gallery_with_pictures
    group = next(group for group in duplicates(gallery) if group.tier == "identical")
    one, other = (member.game_id for member in group.members[:2])
    (tmp_path / "decisions").write_text(f"{one} different {other}\n")
    done = run("check", "-g", gallery, "--decisions", tmp_path / "decisions")
    assert (done.returncode, done.stderr) == (0, "1 decisions saved.\n")
    left = run("duplicates", "-g", gallery, "--tier", "identical", "--format", "all").stdout.split()
    assert other not in left


@pytest.mark.slow
def test_pairs_are_decided_with_one_key_each(gallery_with_pictures: Path) -> None:
    gallery = gallery_with_pictures
    groups = duplicates(gallery, tiers=("identical",))
    terminal, other_end = pty.openpty()
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "steamdino",
            "duplicates",
            "-g",
            str(gallery),
            "--tier",
            "identical",
            "--review",
        ],
        stdin=other_end,
        stdout=other_end,
        stderr=other_end,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "80"},
    )
    os.close(other_end)
    shown = b""

    def prompts_after(key: bytes, count: int) -> None:
        """Sends a key until so many prompts were shown: what comes before the terminal is raw is thrown away."""
        nonlocal shown
        for _ in range(20):
            os.write(terminal, key) if key else None
            end = time.monotonic() + 3
            while time.monotonic() < end and process.poll() is None:
                if select.select([terminal], [], [], 0.1)[0]:
                    try:
                        shown += os.read(terminal, 65536)
                    except OSError:  # it has ended
                        return
                if shown.count(b"[q]uit") >= count:
                    time.sleep(0.3)  # until it listens
                    return
            if process.poll() is not None:
                return

    prompts_after(b"", 1)
    for count, key in enumerate((b"n", b"s", b"k", b"q"), 2):
        prompts_after(key, count)
    assert process.wait(30) == 0
    os.close(terminal)
    from steamdino.gallery import Gallery

    with Gallery.open(gallery) as opened:
        made = [(d.game, d.other, d.verdict) for d in opened.curation.decisions()]
    first, third = groups[0], groups[2]
    pair = sorted((first.representative.game_id, first.others[0].game_id))
    assert sorted(made) == sorted([(*pair, "different"), (third.others[0].game_id, "", "keep")])


@pytest.mark.slow
def test_requests_that_make_no_sense_are_refused(run: Run, gallery_with_pictures: Path) -> None:
    gallery = gallery_with_pictures
    for arguments, message in (
        (("check", "--exclude", "ugly"), "there is no flaw 'ugly'"),
        (("check", "--format", "xml"), "--format is 'xml'"),
        (("check", "--size", "big"), "--size is 'big'"),
        (("check", "--decisions", "none"), "none does not exist"),
        (("check", "--threshold", "ugly=0.1"), "--threshold is 'ugly=0.1'; it must be like blurry=0.2"),
        (("check", "--threshold", "blurry"), "after blurry= must come a number from 0 to 1"),
        (
            ("check", "--threshold", "odd-aspect=2"),
            "--threshold odd-aspect is 2.0; it must be a number from 0",
        ),
        (
            ("check", "--threshold", "blurry=nan"),
            "--threshold blurry is nan; it must be a number from 0 to 1",
        ),
        (("duplicates", "--tier", "twins"), "there is no tier 'twins'"),
        (("duplicates", "--page", "0"), "must be at least 1"),
        (("duplicates", "--page", "999"), "--page is 999, but there are only"),
        (("duplicates", "--review"), "--review needs a terminal"),
    ):
        done = run(*arguments, "-g", gallery)
        assert done.returncode == 2, arguments
        assert message in done.stderr
        assert done.stderr.count("\n") == 1


def test_a_gallery_without_duplicates_says_so(run: Run, tmp_path: Path, paint: Callable[..., Path]) -> None:
    for n in range(3):
        paint(tmp_path / f"covers/{n}.png", n)
    steamdino.add(tmp_path / "g", tmp_path / "covers")
    steamdino.build(tmp_path / "g")
    assert run("duplicates", "-g", tmp_path / "g", "--tier", "identical").stdout == "No duplicates.\n"


names = st.text(st.characters(exclude_characters="\r"))  # names of games are one line


@given(st.lists(st.tuples(names, names, st.floats(0, 1)), max_size=5))
def test_flaws_in_parts_are_one_json_list(flaws: list[tuple[str, str, float]]) -> None:
    found = [Flaw(key, name, "", "blank", score, name + key) for key, name, score in flaws]
    text = "\n".join(check_report.findings_json(found))
    assert text == json.dumps([asdict(one) for one in found], ensure_ascii=False, indent=2)
    rows = list(csv.DictReader(io.StringIO("\n".join(check_report.findings_csv(found)) + "\n", newline="")))
    assert len(rows) == len(found)


@pytest.mark.slow
def test_duplicates_are_written_as_pages_that_link_their_pictures(
    run: Run, gallery_with_pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery, folder = gallery_with_pictures, tmp_path / "groups"
    found = duplicates(gallery)
    done = run("duplicates", "-g", gallery, "--html", folder)
    count = -(-len(found) // duplicate_pages.GROUPS)
    assert done.stderr.endswith(f"{folder / 'index.html'}: {count} pages with pictures\n")
    page = "".join(path.read_text("utf-8") for path in folder.glob("*.html"))
    assert page.count("<section") == len(found)
    assert "data:image" not in page
    links = re.findall('src="([^"]+)"', page)
    members = {one.sha256 for group in found for one in group.members}
    assert len(set(links)) == len(members)
    for link in links:
        with Image.open(folder / link) as image:
            assert image.format == "JPEG"
    monkeypatch.setattr(duplicate_pages, "GROUPS", 4)
    done_so_far = []
    count = duplicate_pages.write_pages(folder, found, threads=1, progress=lambda *at: done_so_far.append(at))
    pages = [folder / "index.html", *(folder / f"page-{number}.html" for number in range(2, count + 1))]
    assert count == -(-len(found) // 4) > 2
    assert sorted(folder.glob("*.html")) == sorted(pages)
    assert done_so_far[-1] == (len(members), len(members))
    texts = [path.read_text("utf-8") for path in pages]
    assert sum(text.count("<section") for text in texts) == len(found)
    near = next(number for number, group in enumerate(found) if group.tier == "near") // 4
    assert f'href="page-{near + 1}.html#near"' in texts[0]
    assert sum('id="near"' in text for text in texts) == 1 and 'id="near"' in texts[near]
    assert 'rel="next"' not in texts[-1] and 'rel="prev"' not in texts[0]
    assert all(f"page {number} of {count}" in text for number, text in enumerate(texts, 1))
    assert duplicate_pages.write_pages(folder, found[:3], threads=1, progress=lambda *_: None) == 1
    assert [path.name for path in folder.glob("*.html")] == ["index.html"]
    few = {one.sha256 for group in found[:3] for one in group.members}
    assert sum(path.is_file() for path in folder.glob("banners/*/*")) == len(few)


@pytest.mark.slow
def test_pages_of_duplicates_show_their_pictures_and_replace_nothing_else(
    run: Run, gallery_with_pictures: Path, tmp_path: Path, open_page: Callable[..., Any]
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter").write_text("dear")
    done = run("duplicates", "-g", gallery_with_pictures, "--html", tmp_path / "mine")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "holds other files than a list of duplicates" in done.stderr
    assert (tmp_path / "mine" / "letter").read_text() == "dear"
    assert run("duplicates", "-g", gallery_with_pictures, "--html", tmp_path / "new").returncode == 0
    page = open_page(tmp_path / "new" / "index.html")
    page.wait_for_load_state("load")
    page.evaluate("[...document.images].forEach((image) => { image.loading = 'eager'; })")
    page.wait_for_load_state("networkidle")
    assert page.evaluate("[...document.images].every((image) => image.naturalWidth > 0)")
    assert page.evaluate("document.images.length") > 10
    assert page.complaints == []


@pytest.fixture
def copies(tmp_path: Path, paint: Any) -> Path:
    """A gallery of four pictures, with a copy of the first."""
    covers = tmp_path / "covers"
    for seed in range(4):
        paint(covers / f"{seed}.png", seed)
    (covers / "more").mkdir()
    (covers / "more/copy.png").write_bytes((covers / "0.png").read_bytes())
    steamdino.add(tmp_path / "g", covers)
    steamdino.build(tmp_path / "g", "bundled/64x64")
    return tmp_path / "g"


def test_files_are_moved_only_if_that_is_confirmed(run: Run, copies: Path, tmp_path: Path) -> None:
    target, covers = tmp_path / "moved", tmp_path / "covers"
    arguments = ("duplicates", "-g", copies, "--tier", "identical", "--move-to", target)
    refused = run(*arguments, input="y\n")
    assert refused.returncode == 2
    assert "--move-to asks first, and there is no terminal; add --dry-run or --yes" in refused.stderr
    tried = run(*arguments, "--dry-run")
    assert tried.stdout == f"would move\t{covers}/more/copy.png\t{target}/more/copy.png\n"
    assert not target.exists()
    done = run(*arguments, "--yes")
    assert done.stdout == f"moved\t{covers}/more/copy.png\t{target}/more/copy.png\n"
    assert "1 file in " in done.stderr
    assert not (covers / "more/copy.png").exists()
    assert "4 unchanged, 0 missing" in run("add", covers, "-g", copies).stdout
    back = run("duplicates", "-g", copies, "--move-back", target, "--yes")
    assert back.stdout == f"moved\t{target}/more/copy.png\t{covers}/more/copy.png\n"
    assert "5 unchanged, 0 missing" in run("add", covers, "-g", copies).stdout


def test_identical_files_are_linked_on_request(run: Run, copies: Path, tmp_path: Path) -> None:
    done = run("duplicates", "-g", copies, "--hard-link", "--yes")
    covers = tmp_path / "covers"
    assert done.stdout == f"linked\t{covers}/more/copy.png\t{covers}/0.png\n"
    assert (covers / "more/copy.png").samefile(covers / "0.png")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--hard-link", "--move-to", "x"), "--move-to and --hard-link exclude each other"),
        (("--yes",), "--dry-run and --yes are for --move-to, --move-back and --hard-link"),
        (("--move-back", "x", "--yes"), "has no files that were moved there"),
    ],
)
def test_actions_that_make_no_sense_are_refused(
    run: Run, copies: Path, options: tuple[str, ...], reason: str
) -> None:
    done = run("duplicates", "-g", copies, *options)
    assert done.returncode == 2
    assert reason in done.stderr


def test_pairs_are_listed_with_their_scores(run: Run, copies: Path) -> None:
    done = run("duplicates", "-g", copies, "--tier", "identical", "--format", "pairs")
    assert done.stdout.splitlines() == [
        "tier,first,second,similarity,hash_bits",
        "identical,0,more/copy,1.000000,0",
    ]


@pytest.mark.slow
def test_pairs_below_a_minimum_are_left_out(run: Run, copies: Path, tmp_path: Path) -> None:
    picture = Image.open(tmp_path / "covers/1.png")
    picture.save(tmp_path / "covers/poor.jpg", quality=30)
    run("add", tmp_path / "covers", "-g", copies)
    run("build", "-g", copies)
    rows = csv.DictReader(io.StringIO(run("duplicates", "-g", copies, "--format", "pairs").stdout))
    similarities = {(row["first"], row["second"]): float(row["similarity"]) for row in rows}
    assert set(similarities) == {("0", "more/copy"), ("1", "poor")}
    least = similarities["1", "poor"]
    for minimum, count in ((least - 0.001, 2), (least + 0.001, 1)):
        arguments = ("duplicates", "-g", copies, "--min-similarity", minimum, "--format", "csv")
        groups = {row["group"] for row in csv.DictReader(io.StringIO(run(*arguments).stdout))}
        assert len(groups) == count
