"""`steam-dino evaluate` as whole processes."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import steamdino

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Paint = Callable[..., Path]

GROUPS = 12


@pytest.fixture(scope="module")
def two_shops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gallery in which two shops show each game: even ones with the same art, odd ones with another."""
    folder = tmp_path_factory.mktemp("shops")
    rows = []
    for number in range(2 * GROUPS):
        group, shop = divmod(number, 2)
        art = group if group % 2 == 0 else number + 100
        coarse = np.random.default_rng(art).integers(0, 256, (12, 8, 3), dtype=np.uint8)
        image = Image.fromarray(coarse).resize((60, 90), Image.Resampling.BICUBIC)
        image.save(folder / f"{number}.jpg", quality=95 if shop == 0 else 80)
        name = f"Game | {group}" if group else "[Game](http://example.org)"
        rows.append(
            {
                "id": str(number),
                "name": name,
                "path": f"{number}.jpg",
                "game": f"g{group}",
                "shop": f"s{shop}",
            }
        )
    (folder / "games.jsonl").write_text("\n".join(map(json.dumps, rows)))
    steamdino.add(folder / "gallery", folder / "games.jsonl")
    steamdino.build(folder / "gallery")
    return folder / "gallery"


@pytest.mark.slow
def test_near_and_diff_come_as_json_with_a_page_and_a_plot(run: Run, two_shops: Path, tmp_path: Path) -> None:
    done = run(
        *("evaluate", "-g", two_shops, "--labels", "game", "--across", "shop"),
        *("--copies", 3, "--format", "json"),
        *("--recipe", "bundled", "--recipe", "bundled/fit/64x96", "--games", "0,2"),
        *("--markdown", tmp_path / "page.md", "--plot", tmp_path / "plot.svg"),
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("Building bundled/fit/64x96 first; ")
    record = json.loads(done.stdout)
    names = ["bundled", "bundled/fit/64x96", "colour-histogram", "thumbnails", "difference-hash"]
    assert (record["games"], record["descriptors"]) == (2 * GROUPS, names)
    near, diff, copies = record["results"][:3]
    assert (near["name"], near["queries"], near["clusters"]) == ("game: near", GROUPS, GROUPS // 2)
    assert (diff["name"], diff["queries"]) == ("game: diff", 12)
    assert (copies["kind"], copies["queries"]) == ("copies", 36)
    assert [score["mean_ap"]["value"] for score in near["scores"]] == [1] * 5  # the same art is found by all
    assert all(score["mean_ap"]["value"] < 0.6 for score in diff["scores"])  # another has nothing in common
    assert near["scores"][0]["r1"]["low"] is None  # six groups are too few for an interval
    assert len(record["agreement"]) == len(record["costs"]) == 5

    page = (tmp_path / "page.md").read_text()
    assert r"## \[Game\](http://example.org) (0)" in page
    assert r"## Game \| 1 (2)" in page
    (header,) = {line for line in page.splitlines() if line.startswith("| # | bundled |")}
    assert header.count("|") == len(names) + 2
    best = next(line for line in page.splitlines() if line.startswith(r"| 1 | **\[Game\]"))
    assert best.count("**") == 2 * len(names)  # all find the other shop's, which shares the label
    match = steamdino.Snapshot.open(two_shops, "bundled").similar("0", 1)[0]
    assert f" {match.similarity:.3f} |" in best

    plot = (tmp_path / "plot.svg").read_text()
    assert all(f">{text}<" in plot for text in [*names, "mAP", "R@1", "game: near"])


@pytest.mark.slow
def test_the_table_shows_what_json_tells(run: Run, two_shops: Path) -> None:
    options = ("evaluate", "-g", two_shops, "--recipe", "bundled", "--labels", "game", "--copies", 2)
    done = run(*options)
    assert (done.returncode, done.stderr) == (0, "")
    (result, *_) = json.loads(run(*options, "--format", "json").stdout)["results"]
    lines = done.stdout.splitlines()
    start = lines.index(f"game: all: {2 * GROUPS} queries in {GROUPS} clusters")
    for score, line in zip(result["scores"], lines[start + 2 :], strict=False):
        assert line.startswith(score["descriptor"])
        shown = [float(number) for number in re.findall(r"-?\d\.\d+", line)][:9]
        expected = [score[key][end] for key in ("r1", "r10", "mean_ap") for end in ("value", "low", "high")]
        assert shown == pytest.approx(expected, abs=0.0006)
    for title in ("Copies by kind: R@1", "Agreement: share of the first ten neighbours in common", "Cost"):
        assert title in lines


@pytest.mark.slow
def test_a_png_can_be_looked_at(run: Run, two_shops: Path, tmp_path: Path) -> None:
    target = tmp_path / "plot.png"
    done = run("evaluate", "-g", two_shops, "--recipe", "bundled", "--copies", 1, "--plot", target)
    assert done.returncode == 0, done.stderr
    with Image.open(target) as image:
        assert image.format == "PNG" and image.width > 400
        colours = {colour for _, colour in image.convert("RGB").getcolors(1 << 20) or []}
    assert {(0x1F, 0x5F, 0xA8), (0x8A, 0x8F, 0x98)} <= colours  # a recipe's and a baseline's


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--format", "xml"), "--format is 'xml'; it must be one of: table, json"),
        (("--across", "shop"), "--across is 'shop' without --labels; name the column of labels too"),
        (("--games", "1"), "--games is '1' without --markdown; name the page to write too"),
        (("--plot", "x.pdf"), "--plot is 'x.pdf'; it must end in one of: .svg, .png"),
        (("--recipe", "dinosaur"), "there is no recipe 'dinosaur'"),
        (("--labels", "colour"), "no game has a column 'colour'; there are: game, shop, source"),
        (("--copies", "-1"), "invalid value for '--copies'"),
    ],
)
def test_a_request_without_sense_is_refused_in_one_line(
    run: Run, two_shops: Path, options: tuple[str, ...], message: str
) -> None:
    done = run("evaluate", "-g", two_shops, *options)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"steam-dino: {message}")


def test_a_game_that_is_not_there_is_told_before_the_work(run: Run, two_shops: Path, tmp_path: Path) -> None:
    done = run("evaluate", "-g", two_shops, "--games", "0,nobody", "--markdown", tmp_path / "page.md")
    assert done.returncode == 1
    assert done.stderr == ("steam-dino: no game 'nobody' is among those compared; name ids with --games\n")
    assert not (tmp_path / "page.md").exists()


def test_without_a_snapshot_it_says_how_to_get_one(run: Run, tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path / "pictures/a.jpg")
    steamdino.add(tmp_path / "gallery", tmp_path / "pictures")
    done = run("evaluate", "-g", tmp_path / "gallery")
    assert done.returncode == 1
    assert "has no snapshot yet; run: steam-dino build -g" in done.stderr
