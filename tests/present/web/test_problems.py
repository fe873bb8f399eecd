"""The kinds of problems: each has a type that never changes, and says what happened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from steamdino import Snapshot
from steamdino.present.web.problem_kinds import KINDS, USUAL

TYPES = {
    "urn:problem-type:steam-dino:address-too-long": 414,
    "urn:problem-type:steam-dino:busy": 503,
    "urn:problem-type:steam-dino:edition-gone": 410,
    "urn:problem-type:steam-dino:internal-error": 500,
    "urn:problem-type:steam-dino:invalid-parameter": 422,
    "urn:problem-type:steam-dino:invalid-recipe": 400,
    "urn:problem-type:steam-dino:invalid-request": 400,
    "urn:problem-type:steam-dino:method-not-allowed": 405,
    "urn:problem-type:steam-dino:not-allowed": 403,
    "urn:problem-type:steam-dino:not-computed": 503,
    "urn:problem-type:steam-dino:not-found": 404,
    "urn:problem-type:steam-dino:not-offered": 503,
    "urn:problem-type:steam-dino:too-large": 413,
    "urn:problem-type:steam-dino:too-many-requests": 429,
    "urn:problem-type:steam-dino:unavailable": 503,
    "urn:problem-type:steam-dino:unreachable-picture": 422,
    "urn:problem-type:steam-dino:unreadable-picture": 422,
}
"""Clients rely on these: add to them, and never change one."""
HOW_TO = Path(__file__).parents[3] / "docs/how-to/serve.md"


def test_types_never_change_and_are_listed_in_the_documentation() -> None:
    assert {kind.type: int(kind.status) for kind in KINDS} == TYPES
    assert set(USUAL.values()) <= set(KINDS)
    text = HOW_TO.read_text("utf-8")
    for kind in KINDS:
        assert f"| {int(kind.status)} | `{kind.name}` | {kind.meaning} |" in text, kind.name


@pytest.mark.parametrize(
    ("method", "address", "status", "name"),
    [
        ("GET", "/api/v1/games?released=soon", 400, "invalid-request"),
        ("GET", "/api/v1/games?recipe=none", 400, "invalid-recipe"),
        ("GET", "/api/v1/text?q=cat", 400, "invalid-recipe"),
        ("GET", "/api/v1/games/none", 404, "not-found"),
        ("GET", "/api/v1/none", 404, "not-found"),
        ("DELETE", "/api/v1/games", 405, "method-not-allowed"),
        ("GET", "/api/v1/games?edition=none", 410, "edition-gone"),
        ("GET", "/api/v1/games/" + "x" * 9000, 414, "address-too-long"),
        ("GET", "/api/v1/games?k=0", 422, "invalid-parameter"),
        ("GET", "/api/v1/explain", 422, "invalid-parameter"),
        ("POST", "/duplicates/decide", 403, "not-allowed"),
        ("POST", "/api/v1/similar", 422, "unreadable-picture"),
        ("POST", "/api/v1/audit", 422, "unreadable-picture"),
    ],
)
def test_each_error_says_its_kind(
    web: httpx.Client, method: str, address: str, status: int, name: str
) -> None:
    files = {"files": {"picture": b"no picture"}} if method == "POST" else {}
    got = web.request(method, address, **files)  # type: ignore[arg-type]
    problem = got.json()
    assert got.headers["content-type"] == "application/problem+json"
    assert (got.status_code, problem["status"]) == (status, status)
    assert problem["type"] == f"urn:problem-type:steam-dino:{name}"
    assert sorted(problem) == ["detail", "status", "title", "type"]


def test_limits_and_missing_parts_of_a_server_have_kinds_too(
    built: Path, tmp_path: Path, serve: Callable[..., Any]
) -> None:
    def kind(got: httpx.Response) -> tuple[int, str]:
        return got.status_code, got.json()["type"].rpartition(":")[2]

    Snapshot.open(built).pack(tmp_path / "store.pack")
    client = serve(tmp_path / "store.pack", largest_upload=1000, fetch_urls=True).client
    assert kind(client.get("/api/v1/duplicates")) == (503, "not-offered")
    large = {"picture": b"x" * 100_000}
    assert kind(client.post("/api/v1/similar", files=large)) == (413, "too-large")
    asked = {"url": "http://127.0.0.1/x.png"}
    assert kind(client.get("/api/v1/similar", params=asked)) == (422, "unreachable-picture")
    limited = serve(tmp_path / "store.pack", requests_per_minute=1).client
    assert limited.get("/api/v1/info").status_code == 200
    assert kind(limited.get("/api/v1/info")) == (429, "too-many-requests")
