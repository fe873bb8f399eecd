"""`min_similarity` and `min_percentile` in requests: on every route with matches, and from page to page."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from PIL import Image

from steamdino import Snapshot

QUERY = "neonoir"
ROUTE = f"/api/v1/games/{QUERY}/similar"


@pytest.fixture(scope="module")
def snapshot(built: Path) -> Snapshot:
    return Snapshot.open(built)


@pytest.fixture(scope="module")
def crop(snapshot: Snapshot) -> bytes:
    picture = snapshot.game(QUERY).picture
    assert picture is not None
    file = io.BytesIO()
    with Image.open(picture) as image:
        image.crop((20, 30, 280, 420)).save(file, "PNG")
    return file.getvalue()


def _ids(response: httpx.Response) -> list[str]:
    return [match["id"] for match in response.json()["matches"]]


def test_matches_end_at_the_minimum_also_page_by_page(web: httpx.Client, snapshot: Snapshot) -> None:
    whole = snapshot.similar(QUERY, 60)
    shown = web.get(ROUTE, params={"k": 60}).json()["matches"]
    for name, key in (("min_similarity", "similarity"), ("min_percentile", "percentile")):
        least = {name: shown[24][key]}
        expected = [match["id"] for match in shown if match[key] >= shown[24][key]]
        assert 25 <= len(expected) < 40
        assert _ids(web.get(ROUTE, params={"k": 60, **least})) == expected
        found: list[str] = []
        address: str | None = str(httpx.URL(ROUTE, params={"k": 7, **least}))
        while address is not None:
            page = web.get(address)
            found += _ids(page)
            address = page.json()["next"]
        assert found == expected == whole.ids[: len(expected)]


def test_filters_and_minima_work_together(web: httpx.Client, snapshot: Snapshot) -> None:
    every = web.get(ROUTE, params={"k": 100, "tag": "noir"}).json()["matches"]
    least = every[5]["similarity"]
    found = web.get(ROUTE, params={"k": 100, "tag": "noir", "min_similarity": least})
    assert _ids(found) == [match["id"] for match in every[:6]]
    assert _ids(web.get(ROUTE, params={"min_similarity": "", "min_percentile": ""})) == _ids(web.get(ROUTE))


def test_pictures_have_minima_too(
    web: httpx.Client, crop: bytes, built: Path, serve: Callable[..., Any]
) -> None:
    whole = web.post("/api/v1/similar", files={"picture": crop}, params={"k": 30}).json()["matches"]
    least = {"min_similarity": whole[3]["similarity"]}
    expected = [match["id"] for match in whole[:4]]
    assert _ids(web.post("/api/v1/similar", files={"picture": crop}, params={"k": 30, **least})) == expected
    fetching = serve(built, fetch=lambda url: crop).client
    asked = {"url": "http://pictures.example/x.png", "k": 30, **least}
    assert _ids(fetching.get("/api/v1/similar", params=asked)) == expected


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("min_similarity=1.5", "min_similarity: '1.5' should be less than or equal to 1"),
        ("min_similarity=-2", "min_similarity: '-2' should be greater than or equal to -1"),
        ("min_similarity=nan", "min_similarity: 'nan' should be"),
        ("min_percentile=101", "min_percentile: '101' should be less than or equal to 100"),
        ("min_percentile=inf", "min_percentile: 'inf' should be"),
        ("min_percentile=high", "min_percentile: 'high' should be a valid number"),
    ],
)
def test_a_minimum_out_of_range_is_refused(web: httpx.Client, query: str, told: str) -> None:
    for address in (f"{ROUTE}?{query}", f"/api/v1/text?q=cat&{query}"):
        got = web.get(address)
        assert got.status_code == 422, address
        assert told in got.json()["detail"]
    page = web.get(f"/games/{QUERY}?{query}")  # a page says it beside the field, and shows the game
    assert page.status_code == 200
    assert 'class="hint"' in page.text


def _shown(page: httpx.Response) -> set[str]:
    """Return the games of a page, with the near-copies that are folded into others."""
    assert page.status_code == 200, page.text
    return set(re.findall(r'href="/games/([^"?]+)[?"]', page.text)) - {QUERY}


def test_pages_mind_the_parameters_and_pass_them_on(
    web: httpx.Client, snapshot: Snapshot, crop: bytes
) -> None:
    whole = snapshot.similar(QUERY, 60)
    least = round(whole[29].similarity, 6)
    first = web.get(f"/games/{QUERY}", params={"min_similarity": least})
    assert _shown(first) == set(whole.ids[:24])
    (more,) = re.findall(r'rel="next" href="([^"]+)"', first.text)
    second = web.get(more.replace("&amp;", "&"))
    assert _shown(second) == set(whole.ids[24:30])
    assert 'rel="next"' not in second.text
    sent = web.post("/picture", files={"picture": ("x.png", crop)}, follow_redirects=True)
    place = sent.url.path
    assert 0 < len(_shown(web.get(place, params={"min_similarity": 0.6}))) < len(_shown(sent))
    assert not _shown(web.get(place, params={"min_similarity": 1}))
