"""Whom a server believes about where a request comes from, and where it is reached."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from steamdino.present.web.proxies import TrustedProxies, forwarded_prefix
from steamdino.settings import WebSettings


def seen_by_app(trusted: str, peer: str, **headers: str) -> dict[str, Any]:
    """Return what an app sees of a request."""
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)

    made = TrustedProxies(app, trusted=WebSettings(trusted_proxies=trusted).proxies)
    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "client": (peer, 1), "scheme": "http", "headers": [(b"host", b"inner"), *given]}
    with pytest.raises(StopIteration):
        made(scope, None, None).send(None)  # type: ignore[arg-type]
    (found,) = seen
    return {
        "client": found["client"][0],
        "scheme": found["scheme"],
        "host": dict(found["headers"])[b"host"].decode(),
        "prefix": forwarded_prefix(found),
    }


SAID = {
    "x_forwarded_for": "203.0.113.9",
    "x_forwarded_proto": "https",
    "x_forwarded_host": "games.example",
    "x_forwarded_prefix": "/games",
}
BELIEVED = {"client": "203.0.113.9", "scheme": "https", "host": "games.example", "prefix": "/games"}


@pytest.mark.parametrize(
    ("trusted", "peer"),
    [
        ("127.0.0.1 ::1", "127.0.0.1"),
        ("127.0.0.1 ::1", "::1"),
        ("10.0.0.0/8", "10.200.3.4"),
        ("192.0.2.7 fd00::/8", "fd12::1"),
        ("*", "198.51.100.1"),
    ],
)
def test_a_trusted_proxy_is_believed(trusted: str, peer: str) -> None:
    assert seen_by_app(trusted, peer, **SAID) == BELIEVED


@pytest.mark.parametrize(
    ("trusted", "peer"),
    [
        ("127.0.0.1 ::1", "127.0.0.2"),
        ("10.0.0.0/8", "127.0.0.1"),
        ("10.0.0.0/8", "11.0.0.1"),
        ("none", "127.0.0.1"),
        ("10.0.0.0/8", ""),
        ("10.0.0.0/8", "testclient"),
    ],
)
def test_nobody_else_is_believed(trusted: str, peer: str) -> None:
    expected = {"client": peer, "scheme": "http", "host": "inner", "prefix": ""}
    assert seen_by_app(trusted, peer, **SAID) == expected


def test_the_client_is_the_nearest_address_that_is_no_proxy() -> None:
    """What a client writes in front of the list itself changes nothing."""
    found = seen_by_app("10.0.0.0/8", "10.0.0.1", x_forwarded_for="1.1.1.1, 203.0.113.9, 10.0.0.2")
    assert found["client"] == "203.0.113.9"


@pytest.mark.parametrize(
    "prefix",
    [
        "//evil.example",
        "https://evil.example",
        "games",
        "/a/../b",
        "/a//b",
        "/.well-known/..",
        '/"><script>',
        "/a b",
        "/a?b",
        "/a#b",
        "/a%2fb",
        "/a\\b",
        "/a, /b",
        "/" + "a" * 200,
    ],
)
def test_a_prefix_that_is_no_path_is_ignored(prefix: str) -> None:
    assert seen_by_app("*", "10.0.0.1", x_forwarded_prefix=prefix)["prefix"] == ""


@pytest.mark.parametrize("prefix", ["/games", "/games/", "/a/b-c/d_e.f~1"])
def test_a_prefix_that_is_a_path_is_taken(prefix: str) -> None:
    assert seen_by_app("*", "10.0.0.1", x_forwarded_prefix=prefix)["prefix"] == prefix.rstrip("/")


@pytest.mark.parametrize("host", ["evil.example/path", "a b", "user@evil.example", "", "a:b:c", "x" * 300])
def test_a_host_that_is_none_is_ignored(host: str) -> None:
    assert seen_by_app("*", "10.0.0.1", x_forwarded_host=host)["host"] == "inner"


def test_networks_are_read_from_the_setting() -> None:
    assert WebSettings().proxies == (ip_network("127.0.0.1"), ip_network("::1"))
    assert WebSettings(trusted_proxies="none").proxies == ()


def test_each_client_behind_a_proxy_has_a_limit_of_its_own(built: Path, serve: Callable[..., Any]) -> None:
    def statuses(trusted: str) -> list[int]:
        client = serve(built, requests_per_minute=1.0, trusted_proxies=trusted).client
        return [
            client.get("/healthz", headers={"x-forwarded-for": f"203.0.113.{last}"}).status_code
            for last in (1, 1, 2)
        ]

    assert statuses("127.0.0.1") == [200, 429, 200]
    assert statuses("none") == [200, 429, 429]


def test_a_forwarded_host_or_prefix_changes_the_etag_of_what_it_changes(
    built: Path, serve: Callable[..., Any]
) -> None:
    """So that no shared cache gives one client's links to another."""
    client = serve(built).client
    plain = client.get("/app_from_id?id=neonoir")
    for header in ({"x-forwarded-host": "evil.example"}, {"x-forwarded-prefix": "/evil"}):
        other = client.get("/app_from_id?id=neonoir", headers=header)
        assert "evil" in other.text
        assert other.headers["etag"] != plain.headers["etag"]
        assert other.headers["cache-control"] == "no-cache"
