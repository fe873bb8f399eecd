"""Tables that name pictures on web servers: each is copied into the gallery, and asked about when it is added again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.buckets import banner

from steamdino import add, build
from steamdino.gallery import Gallery
from steamdino.net.public_fetch import PublicReply
from steamdino.net.web_picture import WebServers
from steamdino.pipeline import examine


class Agency:
    """A web server with pictures by name, and the requests that it got."""

    def __init__(self, count: int) -> None:
        self.pictures = {f"{n}.png": banner(n) for n in range(count)}
        self.versions = dict.fromkeys(self.pictures, 1)
        self.asked: list[str] = []
        self.says_version = True

    def __call__(self, method: str, address: str) -> PublicReply:
        name = address.rpartition("/")[2]
        self.asked.append(f"{method} {name}")
        if name not in self.pictures:
            return PublicReply(404, {}, b"")
        data = self.pictures[name]
        headers = {"etag": f'"{self.versions[name]}"', "content-length": str(len(data))}
        return PublicReply(200, headers if self.says_version else {}, data if method == "GET" else b"")

    def change(self, name: str, data: bytes) -> None:
        self.pictures[name] = data
        self.versions[name] += 1

    def took(self) -> list[str]:
        taken, self.asked = sorted(self.asked), []
        return taken


@pytest.fixture
def agency() -> Agency:
    return Agency(4)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "games.csv"
    rows = [f"{n},https://pictures.example/covers/{n}.png" for n in range(4)]
    path.write_text("\n".join(["id,path", *rows]))
    return path


def test_the_pictures_are_copied_and_only_asked_about_the_next_time(
    tmp_path: Path, agency: Agency, table: Path
) -> None:
    def again() -> tuple[int, int]:
        summary = add(tmp_path / "g", table, web=WebServers(0, agency))
        assert summary.problems == ()
        return summary.changed, summary.unchanged

    assert add(tmp_path / "g", table, web=WebServers(0, agency)).new == 4
    assert agency.took() == [f"GET {n}.png" for n in range(4)]
    assert again() == (0, 4)
    assert agency.took() == [f"HEAD {n}.png" for n in range(4)]
    agency.change("1.png", banner(9))
    agency.change("2.png", banner(2))  # another version of the same picture
    assert again() == (1, 3)
    assert [one for one in agency.took() if one.startswith("GET")] == ["GET 1.png", "GET 2.png"]
    assert again() == (0, 4)
    assert [one for one in agency.took() if one.startswith("GET")] == []
    assert build(tmp_path / "g").games == 4
    assert examine(tmp_path / "g", deep=True) == []
    with Gallery.open(tmp_path / "g") as opened:
        known = list(opened.banners.known())
    assert all(one.copied and one.location.path is not None for one in known)
    assert {one.origin.address for one in known if one.origin} == {
        f"https://pictures.example/covers/{n}.png" for n in range(4)
    }


def test_a_picture_of_a_server_that_names_no_version_is_read_again(
    tmp_path: Path, agency: Agency, table: Path
) -> None:
    agency.says_version = False
    add(tmp_path / "g", table, web=WebServers(0, agency))
    assert add(tmp_path / "g", table, web=WebServers(0, agency)).unchanged == 4
    agency.took()
    agency.change("1.png", banner(9))
    assert add(tmp_path / "g", table, web=WebServers(0, agency)).changed == 1


def test_a_copy_that_was_lost_is_downloaded_again(tmp_path: Path, agency: Agency, table: Path) -> None:
    add(tmp_path / "g", table, web=WebServers(0, agency))
    lost = next((tmp_path / "g").glob("banners/*/*"))
    lost.unlink()
    agency.took()
    add(tmp_path / "g", table, web=WebServers(0, agency))
    assert sum(one.startswith("GET") for one in agency.took()) == 1
    assert lost.exists()


def test_a_picture_that_cannot_be_had_is_a_problem_of_its_row_and_keeps_the_old_one(
    tmp_path: Path, agency: Agency, table: Path
) -> None:
    add(tmp_path / "g", table, web=WebServers(0, agency))
    del agency.pictures["3.png"]
    agency.change("2.png", b"<html>")
    summary = add(tmp_path / "g", table, web=WebServers(0, agency))
    assert [(one.where, one.reason) for one in summary.problems] == [
        ("line 4", "it is HTML or XML, not a picture"),
        ("line 5", "its server has no such picture (404)"),
    ]
    assert build(tmp_path / "g").games == 4


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("http://pictures.example/a.png", "its address begins with http://; only https:// is fetched"),
        ("https://pictures.example/a b.png", "its address is not a valid one of a public server; quote"),
        ("https://user:a-secret@pictures.example/a.png", "its address is not a valid one of a public server"),
        ("https://127.0.0.1/a.png", "its address is not a valid one of a public server"),
        ("https://localhost/a.png", "its address is not a valid one of a public server"),
    ],
)
def test_an_address_that_is_not_fetched_is_a_problem_of_its_row(
    tmp_path: Path, agency: Agency, written: str, reason: str
) -> None:
    (tmp_path / "games.csv").write_text(f"id,path\n1,{written}\n2,HTTPS://pictures.example/covers/2.png\n")
    summary = add(tmp_path / "g", tmp_path / "games.csv", web=WebServers(0, agency))
    (problem,) = summary.problems
    assert problem.reason.startswith(reason)
    assert "a-secret" not in problem.reason
    assert agency.took() == ["GET 2.png"]


def test_the_command_takes_a_rate(tmp_path: Path, run: Callable[..., Any]) -> None:
    (tmp_path / "games.csv").write_text("id,path\n1,https://127.0.0.1/a.png\n")
    done = run("add", tmp_path / "games.csv", "-g", tmp_path / "g", "--rate", "-1")
    assert (done.returncode, done.stderr) == (
        2,
        "steam-dino: --rate is -1; it must be a number from 0 to 1000\n",
    )
    assert run("add", tmp_path / "games.csv", "-g", tmp_path / "g", "--rate", "2").returncode == 1
