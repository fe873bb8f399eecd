"""Duplicates on the page: filters, and decisions of whoever knows the curator's token."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from tests.present.web.browsing import check_looks, shown

from steamdino.gallery import Gallery
from steamdino.gallery.curation import Decision
from steamdino.pipeline.duplicate_search import duplicates
from steamdino.present.web.app import create_app
from steamdino.present.web.curator import ATTEMPTS, COOKIE, SECONDS, Curator
from steamdino.present.web.etags import mark
from steamdino.settings import Settings, WebSettings

TOKEN = "correct-horse-battery-staple"  # noqa: S105 (of these tests)
PLAIN = {"accept": "text/html"}


@pytest.fixture
def curated(serve: Callable[..., Any], gallery_with_pictures: Path) -> Any:
    """A server with a curator's token, on a gallery that may be written to."""
    running = serve(gallery_with_pictures, curator_token=TOKEN)
    running.gallery = gallery_with_pictures
    return running


@pytest.fixture
def client(curated: Any) -> Iterator[httpx.Client]:
    """A curator's browser."""
    with httpx.Client(base_url=curated.address, timeout=30, headers=PLAIN, follow_redirects=False) as client:
        assert client.post("/curator", data={"token": TOKEN}).status_code == 303
        yield client


def _key(client: httpx.Client) -> str:
    found = re.search('name="key" value="([0-9a-f]{64})"', client.get("/duplicates").text)
    assert found is not None
    return found[1]


def _decisions(gallery: Path) -> list[Decision]:
    with Gallery.open(gallery) as opened:
        return list(opened.curation.decisions())


def test_a_decision_is_stored_at_once_and_counts_for_every_reader(client: httpx.Client, curated: Any) -> None:
    group = duplicates(curated.gallery)[0]
    first, second = (member.game_id for member in group.members[:2])
    form = {"first": first, "second": second, "key": _key(client), "again": "tier=identical"}
    done = client.post("/duplicates/decide", data={**form, "verdict": "different"})
    assert (done.status_code, done.headers["location"]) == (303, "/duplicates?tier=identical")
    assert _decisions(curated.gallery) == [Decision(*sorted((first, second)), "different")]
    now = duplicates(curated.gallery)
    api = curated.client.get("/api/v1/duplicates?k=100").json()
    assert [[one["id"] for one in each["games"]] for each in api["groups"]] == [
        [one.game_id for one in each.members] for each in now[:100]
    ]
    assert api["total"] == len(now)
    assert "are different" in client.get("/duplicates").text
    assert client.post("/duplicates/undo", data=form).status_code == 303
    assert _decisions(curated.gallery) == []
    assert curated.client.get("/api/v1/duplicates").json()["total"] == len(duplicates(curated.gallery))
    assert client.post("/duplicates/decide", data={**form, "verdict": "keep"}).status_code == 303
    assert _decisions(curated.gallery) == [Decision(second, "", "keep")]
    assert duplicates(curated.gallery)[0].representative.game_id == second
    assert "decided: keep" in client.get("/duplicates").text or second in client.get("/duplicates").text


def test_a_decision_in_another_process_shows_at_once(
    run: Callable[..., Any], client: httpx.Client, curated: Any, tmp_path: Path
) -> None:
    group = duplicates(curated.gallery)[0]
    total = curated.client.get("/api/v1/duplicates").json()["total"]
    first, second = (member.game_id for member in group.members[:2])
    (tmp_path / "decisions").write_text(f"{first} different {second}\n")
    assert run("check", "-g", curated.gallery, "--decisions", tmp_path / "decisions").returncode == 0
    after = duplicates(curated.gallery)
    assert curated.client.get("/api/v1/duplicates").json()["total"] == len(after)
    assert len(after) != total or after[0] != group


def test_everybody_else_reads_only(curated: Any, client: httpx.Client) -> None:
    first, second = (member.game_id for member in duplicates(curated.gallery)[0].members[:2])
    form = {"first": first, "second": second, "verdict": "same"}
    key, stranger = _key(client), curated.client
    page = stranger.get("/duplicates").text
    assert "/duplicates/decide" not in page and 'name="key"' not in page
    assert "Log in as the curator" in page
    forged = {**PLAIN, "cookie": f"{COOKIE}=99999999999.0123456789abcdef.{'0' * 64}"}
    for data, headers in (({**form, "key": key}, PLAIN), (form, PLAIN), ({**form, "key": key}, forged)):
        assert stranger.post("/duplicates/decide", data=data, headers=headers).status_code == 403
        assert stranger.post("/duplicates/undo", data=data, headers=headers).status_code == 403
    assert stranger.post("/curator/leave", headers=PLAIN).status_code == 403
    for wrong in ("", "0" * 64, Curator(TOKEN).form_key("another session"), "ä"):  # from another site
        assert client.post("/duplicates/decide", data={**form, "key": wrong}).status_code == 403
    assert client.post("/curator/leave", data={"key": ""}).status_code == 403
    assert _decisions(curated.gallery) == []


def test_the_cookie_holds_no_token_and_stays_on_this_site(
    curated: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", "steamdino.web"):
        done = curated.client.post("/curator", data={"token": TOKEN}, headers=PLAIN)
        wrong = curated.client.post("/curator", data={"token": TOKEN[:-1] + "x"}, headers=PLAIN)
    cookie = done.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "Path=/" in cookie
    assert wrong.status_code == 403 and "set-cookie" not in wrong.headers
    facts = " ".join(str(getattr(record, "facts", record)) for record in caplog.records)
    for text in (
        cookie,
        wrong.text,
        done.headers["location"],
        facts,
        str(curated.app.state.curator.__dict__),
    ):
        assert TOKEN not in text and TOKEN[:-1] not in text
    assert TOKEN not in repr(WebSettings(curator_token=TOKEN))
    assert done.headers["cache-control"] == "no-store"


def test_no_etag_depends_on_the_token() -> None:
    tags = {mark(Settings(), WebSettings(curator_token=token), {}) for token in ("", TOKEN)}
    assert len(tags) == 1


def test_tokens_cannot_be_guessed_quickly(curated: Any) -> None:
    tries = [
        curated.client.post("/curator", data={"token": f"guess {n}"}, headers=PLAIN)
        for n in range(ATTEMPTS + 1)
    ]
    assert [one.status_code for one in tries] == [403] * ATTEMPTS + [429]
    assert int(tries[-1].headers["retry-after"]) <= 60 / ATTEMPTS
    right = curated.client.post("/curator", data={"token": TOKEN}, headers=PLAIN)
    assert right.status_code == 429
    assert curated.client.get("/duplicates", headers=PLAIN).status_code == 200


def test_attempts_are_counted_for_all_processes_together(built: Path, tmp_path: Path) -> None:
    apps = [
        create_app(Settings(gallery=built), WebSettings(curator_token=TOKEN), shared=tmp_path)
        for _ in range(2)
    ]
    verdicts = [apps[number % 2].state.attempts.count("192.0.2.7") for number in range(ATTEMPTS + 1)]
    assert [bool(one.wait) for one in verdicts] == [False] * ATTEMPTS + [True]
    assert not apps[0].state.attempts.count("192.0.2.8").wait


def test_a_decision_leads_back_to_the_same_filters_and_nowhere_else(
    client: httpx.Client, curated: Any
) -> None:
    first, second = (member.game_id for member in duplicates(curated.gallery)[0].members[:2])
    form = {"first": first, "second": second, "verdict": "same", "key": _key(client)}
    asked = "/duplicates?released=1900..&show=open&offset=0"
    assert f'name="again" value="{asked.partition("?")[2].replace("&", "&amp;")}"' in client.get(asked).text
    for again, back in (
        (asked.partition("?")[2], asked),
        ("", "/duplicates"),
        ("//evil.example/", "/duplicates"),
        ("a=1\r\nset-cookie: x=y", "/duplicates?a=1%0D%0Aset-cookie%3A+x%3Dy"),
    ):
        done = client.post("/duplicates/decide", data={**form, "again": again})
        assert (done.status_code, done.headers["location"]) == (303, back)


def test_a_session_ends_and_belongs_to_one_token() -> None:
    now = [1_000_000.0]
    curator, other, nobody = (Curator(token, lambda: now[0]) for token in (TOKEN, TOKEN + "2", ""))
    session = curator.session()
    assert curator.is_open(session)
    assert not other.is_open(session)
    assert not nobody.is_open(nobody.session())
    assert not nobody.opens("")
    assert curator.opens(TOKEN) and not curator.opens(TOKEN + " ") and not curator.opens("")
    until, nonce, signature = session.split(".")
    for forged in (
        f"{int(until) + 1}.{nonce}.{signature}",
        f"{until}.{nonce}x.{signature}",
        "",
        ".",
        "ä.ä.ä",
        session[:-1],
    ):
        assert not curator.is_open(forged)
    assert curator.form_key(session) != other.form_key(session)
    now[0] += SECONDS - 1
    assert curator.is_open(session)
    now[0] += 2
    assert not curator.is_open(session)


def test_a_gallery_that_is_being_written_to_is_left_alone(client: httpx.Client, curated: Any) -> None:
    first, second = (member.game_id for member in duplicates(curated.gallery)[0].members[:2])
    form = {"first": first, "second": second, "verdict": "same", "key": _key(client), "again": "tier=near"}
    with Gallery.write(curated.gallery, "build"):
        refused = client.post("/duplicates/decide", data=form)
    assert refused.status_code == 503
    assert "was not stored" in refused.text and 'href="/duplicates?tier=near"' in refused.text
    assert str(curated.gallery) not in refused.text
    assert int(refused.headers["retry-after"]) > 0
    assert _decisions(curated.gallery) == []
    assert client.post("/duplicates/decide", data=form).status_code == 303
    with Gallery.write(curated.gallery, "build"):  # the server holds no lock between decisions
        pass


def test_a_decision_that_is_none_is_refused(client: httpx.Client, curated: Any) -> None:
    first, second = (member.game_id for member in duplicates(curated.gallery)[0].members[:2])
    key = _key(client)
    for data in (
        {"first": first, "second": second, "verdict": "perhaps"},
        {"first": first, "second": first, "verdict": "same"},
        {"first": first, "second": "", "verdict": "same"},
        {"first": first, "second": "none", "verdict": "same"},
    ):
        assert client.post("/duplicates/decide", data={**data, "key": key}).status_code == 400
    assert _decisions(curated.gallery) == []


def test_a_server_without_a_token_has_no_curator(web: httpx.Client) -> None:
    assert "no <code>curator_token</code>" in web.get("/curator").text
    assert web.post("/curator", data={"token": ""}, headers=PLAIN).status_code == 403
    assert "curator" not in web.get("/duplicates").text


def test_tiers_sizes_and_ids_are_shown_and_filtered(web: httpx.Client, built: Path) -> None:
    groups = duplicates(built)
    for tier in ("identical", "re-encoded", "near"):
        text = web.get("/duplicates", params={"tier": tier}).text
        own = [one for one in groups if one.tier == tier]
        assert f"{tier} <span>{len(own)}</span>" in text
        assert text.count('<section class="group"') == min(12, len(own))
        one = own[0].others[0]
        assert f"{one.game_id}, {one.width}&times;{one.height}" in text
    assert web.get("/duplicates?tier=twins", headers=PLAIN).status_code == 400
    last = web.get("/duplicates?offset=9999").text  # beyond the end is the last page
    assert f"of {len(groups)}" in last and ">Next<" not in last
    game = groups[0].representative.game_id
    own = web.get("/duplicates", params={"of": game}).text
    assert own.count('<section class="group"') == sum(
        game in {m.game_id for m in one.members} for one in groups
    )


@pytest.mark.slow
@pytest.mark.parametrize("width", [360, 1440])
def test_a_curator_decides_with_one_key_each(browse: Callable[..., Any], curated: Any, width: int) -> None:
    page = browse("/curator", address=curated.address, viewport={"width": width, "height": 900})
    check_looks(page)
    page.get_by_label("The curator's token").fill(TOKEN)
    page.keyboard.press("Enter")
    page.wait_for_url("**/duplicates")
    check_looks(page)
    for key, verdict in (("d", "different"), ("s", "same"), ("k", "keep")):
        page.get_by_role("link", name="not decided").click()
        page.wait_for_url("**show=open")
        page.reload()
        pair = page.locator("[data-decides]:focus")
        pair.wait_for()
        name = pair.get_attribute("aria-label")
        page.keyboard.press("n")
        assert page.locator("[data-decides]:focus").get_attribute("aria-label") != name
        page.keyboard.press("p")
        before = len(_decisions(curated.gallery))
        page.keyboard.press(key)
        page.get_by_text("Last decision").wait_for()
        page.wait_for_load_state("networkidle")
        made = _decisions(curated.gallery)
        assert len(made) == before + 1
        assert verdict in {one.verdict for one in made}
        assert len(shown(page, ".pair figure")) > 2
    page.get_by_role("button", name="Log out").click()
    page.get_by_text("Log in as the curator").wait_for()
    assert page.locator("[data-decides]").count() == 0


@pytest.mark.slow
def test_a_curator_decides_without_a_script(browse: Callable[..., Any], curated: Any) -> None:
    page = browse("/curator", address=curated.address, java_script_enabled=False)
    page.get_by_label("The curator's token").fill(TOKEN)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Different").first.click()
    assert "are different" in page.locator("form [role=status]", has_text="Last decision").inner_text()
    assert [one.verdict for one in _decisions(curated.gallery)] == ["different"]
    page.get_by_role("button", name="Take it back").click()
    assert _decisions(curated.gallery) == []
