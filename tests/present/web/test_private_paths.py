"""No answer names a folder of the server's machine."""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from PIL import Image

from steamdino import Snapshot
from steamdino.pipeline import add, build

HTML = {"accept": "text/html"}
PAGES = (
    "/",
    "/?q=sound",
    "/?q=none-such",
    "/suggest?q=s",
    "/random",
    "/games/{id}",
    "/games/{id}?mirror=1",
    "/games/{id}?recipe=none",
    "/games/{id}?tag=none",
    "/picture",
    "/games/{id}?crop=0,0,1,0.5",
    "/mixture?plus={id}&minus=sound",
    "/mixture?plus=none",
    "/curator",
    "/text?q=a",
    "/why?a={id}&b=sound",
    "/why?a={id}&b=sound&mirror=1",
    "/why?a=sound&b={id}",
    "/unique",
    "/duplicates",
    "/changes?since=30d",
    "/changes?what=new",
    "/changes.atom",
    "/api/v1/changes?since=30d",
    "/changes/pictures/300/{id}",
    "/render",
    "/render_x/{id}",
    "/store/{id}/3",
    "/nothing",
)
QUERIES = ("", "mirror=1", "flip=1", "recipe=none", "tag=none", "k=-1", "offset=x")


@pytest.fixture
def broken(tmp_path: Path, paint: Callable[..., Path]) -> Path:
    """A gallery in which pictures went missing, became unreadable, or never were what their names say."""
    pictures = tmp_path / "pictures of mine"
    names = ["sound", "missing", "text", "folder", "link", "cut", *(f"other{n}" for n in range(8))]
    for seed, name in enumerate(names):
        paint(pictures / f"{name}.png", seed)
    (pictures / "absent.png").write_text("no picture")
    add(tmp_path / "gallery of mine", pictures)
    build(tmp_path / "gallery of mine")
    for name in ("missing", "text", "folder", "link"):
        (pictures / f"{name}.png").unlink()
    (pictures / "text.png").write_text("no picture")
    (pictures / "folder.png").mkdir()
    (pictures / "link.png").symlink_to(pictures / "nowhere.png")
    (pictures / "cut.png").write_bytes((pictures / "sound.png").read_bytes()[:80])
    return tmp_path / "gallery of mine"


@pytest.fixture
def private(broken: Path) -> Callable[[httpx.Response], None]:
    """Fails if an answer names a folder of this machine."""
    written = [str(broken), str(broken.parent), tempfile.gettempdir(), str(Path.home())]
    package = str(Path(__file__).parents[3])

    def private(answer: httpx.Response) -> None:
        assert answer.status_code != 500, answer.request.url
        told = answer.content.decode("utf-8", "replace") + "\n".join(
            f"{name}: {value}" for name, value in answer.headers.items()
        )
        for folder in (*written, package):
            assert folder not in told, f"{answer.request.url}: {told[:500]}"

    return private


@pytest.fixture
def asked(broken: Path) -> list[str]:
    """The ids to ask for: those of the gallery, and others."""
    assert {"missing", "text", "folder", "link", "cut", "sound"} <= set(Snapshot.open(broken).ids)
    return [
        "sound",
        "missing",
        "text",
        "folder",
        "link",
        "cut",
        "absent",
        "none",
        "/etc/hostname",
    ]


def _routes(client: httpx.Client) -> Iterator[str]:
    document = client.get("/openapi.json").json()
    for path, methods in document["paths"].items():
        if "get" not in methods:
            continue
        names = {one["name"] for one in methods["get"].get("parameters", ())}
        required = [name for name in ("a", "b", "q", "id", "name", "url") if name in names]
        filled = "&".join(f"{name}={{id}}" for name in required)
        path = path.replace("{game_id}", "{id}").replace("{width}", "150").replace("{sha256}", "{id}")
        for query in QUERIES:
            if not query or query.split("=")[0] in names:
                yield f"{path}?{filled}&{query}"
        if required == ["a", "b"]:
            yield f"{path}?a=sound&b={{id}}"
        if "index" in names:
            yield from (f"{path}?index={number}" for number in (0, 3, 5, 99))


@pytest.mark.slow
def test_no_get_route_names_a_folder_of_this_machine(
    broken: Path, serve: Callable[..., Any], private: Callable[[httpx.Response], None], asked: list[str]
) -> None:
    client = serve(broken).client
    routes = [*_routes(client), *PAGES]
    assert len(routes) > 80
    statuses = set()
    for route in dict.fromkeys(route.replace("{id}", key) for route in routes for key in asked):
        for headers in ({}, HTML):
            answer = client.get(route, headers=headers)
            private(answer)
            statuses.add(answer.status_code)
    assert {200, 303, 400, 404, 422} <= statuses
    for route in ("/api/v1/games/missing/similar?mirror=1", "/api/v1/explain?a=missing&b=sound"):
        told = client.get(route).json()
        assert told["detail"] == "the picture of 'missing' cannot be read: the file does not exist"
    assert (
        client.get("/banners/150/text")
        .json()["detail"]
        .startswith("the banner of 'text' cannot be shown: it is")
    )
    absent = client.get("/id_from_name?name=absent").json()["detail"]
    assert re.match(r"'absent' cannot be compared: it is not a picture", absent)


def test_no_answer_to_a_picture_names_a_folder_of_this_machine(
    broken: Path, serve: Callable[..., Any], private: Callable[[httpx.Response], None]
) -> None:
    fetched: list[bytes] = []
    client = serve(broken, fetch=lambda url: fetched[-1]).client
    good = io.BytesIO()
    Image.effect_noise((60, 90), 90).save(good, "PNG")
    sent = {
        "good": good.getvalue(),
        "cut": good.getvalue()[:90],
        "empty": b"",
        "text": b"no picture",
        "svg": b"<svg/>",
    }
    for name, data in sent.items():
        fetched.append(data)
        files = {"picture": (f"../../{name}.png", data)}
        answers = [client.post(f"/api/v1/{what}", files=files) for what in ("similar", "audit")]
        answers += [client.post("/picture", files=files, data={"do": do}) for do in ("similar", "audit")]
        answers += [client.post("/picture", data={"address": "https://x.example/x"}, headers=HTML)]
        answers += [client.get("/api/v1/similar", params={"url": "https://x.example/x"})]
        for answer in answers:
            private(answer)
            assert answer.status_code in ((200, 303) if name == "good" else (422,)), name
            if answer.status_code == 303:
                place = answer.headers["location"]
                own = {"cookie": answer.headers["set-cookie"].partition(";")[0], **HTML}
                for path in (place, f"{place}?crop=0,0,1,9", f"{place}?mirror=1", f"{place}/why?b=missing"):
                    private(client.get(path, headers=own))
    audit = client.post("/api/v1/audit", files={"picture": sent["good"]}).json()
    assert audit["picture"] is None
    assert all(match["picture"].startswith("/banners/300/") for match in audit["matches"])


def test_what_is_wrong_with_the_server_itself_is_for_its_log(
    broken: Path,
    serve: Callable[..., Any],
    private: Callable[[httpx.Response], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = serve(broken, refresh=3600).client
    (broken / "gallery.sqlite").rename(broken / "elsewhere")
    for path in ("/duplicates", "/api/v1/duplicates"):
        for headers in ({}, HTML):
            answer = client.get(path, headers=headers)
            private(answer)
            assert answer.status_code == 503
            assert "his server cannot answer now; see its log for the reason" in answer.text
    assert str(broken) in str([getattr(record, "facts", "") for record in caplog.records])


def test_an_id_that_one_recipe_lacks_is_not_taken_for_a_file_of_this_machine(
    tmp_path: Path, paint: Callable[..., Path], serve: Callable[..., Any]
) -> None:
    for seed in range(3):
        paint(tmp_path / f"covers/{seed}.png", seed)
    add(tmp_path / "g", tmp_path / "covers")
    build(tmp_path / "g", "bundled/patches/raw")
    paint(tmp_path / "covers/newcomer.png", 9)
    add(tmp_path / "g", tmp_path / "covers")
    build(tmp_path / "g")
    paint(tmp_path / "own.png", 7).rename("newcomer")  # in the folder that the server runs in
    client = serve(tmp_path / "g").client
    assert client.get("/games/newcomer").status_code == 200
    assert client.get("/games/newcomer?beside=bundled/patches").status_code == 404
    assert client.get("/games/1?beside=bundled/patches").status_code == 200
