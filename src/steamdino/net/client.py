"""GET requests that do no harm: of allowed hosts, paced, limited in size and time, repeated with growing patience.

==================  ======================================================================================
200, 304, 404, ...  returned as they are
429, 5xx            waited for: `backoff` seconds, doubling, with jitter, at least what Retry-After asks; at 429
                    all requests of the client wait
403                 ends everything: a block of the address grows with each further request
elsewhere           a redirect to a host that is not allowed is refused
broken off, slow    asked again, like 5xx
==================  ======================================================================================
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TypeVar

import httpx2 as httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

from steamdino.errors import BlockedError, NetworkError, ReplyError, UsageError
from steamdino.net.rate_limit import RateLimiter

LONGEST_WAIT = 600.0
"""Seconds; a Retry-After beyond it is not waited for."""

REDIRECTS = 3
LOOPBACK = ("127.0.0.1", "localhost", "::1")

T = TypeVar("T")


class _WithoutQueries(logging.Filter):
    """Removes the query, which may hold a key, from each address that is logged."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Changes a record; lets all of them through."""
        if isinstance(record.args, tuple):
            record.args = tuple(_shown(one) if isinstance(one, httpx.URL) else one for one in record.args)
        return True


# httpx2 logs each address at INFO. The level keeps that out of the logs of programs that log everything; the filter
# keeps the key out of the logs of those that set httpx2's own level.
logging.getLogger("httpx2").setLevel(logging.WARNING)
logging.getLogger("httpx2").addFilter(_WithoutQueries())
logging.getLogger("httpcore2").setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class ClientPolicy:
    """How a client behaves.

    Attributes:
        rate: requests a second at the most; 0 for no limit.
        connections: requests at the same time.
        backoff: seconds before the first repetition; each further one waits twice as long.
        tries: of one request, the first included.
        timeout: seconds for a request as a whole, its body included.
        user_agent: who is asking.
    """

    rate: float
    connections: int
    backoff: float
    tries: int
    timeout: float
    user_agent: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server said: the status, headers by lower-case name, and the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class TransientError(NetworkError):
    """May go away by itself: asked again.

    Attributes:
        wait: seconds that the server asked for; 0 if it did not.
    """

    def __init__(self, message: str, wait: float = 0.0) -> None:
        super().__init__(message)
        self.wait = wait


class Client:
    """Asks servers, from any thread. Close it, or use it as a context manager."""

    def __init__(
        self, hosts: tuple[str, ...], manners: ClientPolicy, stopped: threading.Event | None = None
    ) -> None:
        """Makes it.

        Args:
            hosts: that may be asked: "host", or "host:port" where that is not the scheme's own. All others are refused.
            manners: how to behave.
            stopped: when set, waiting ends and requests raise `NetworkError`.
        """
        self._hosts = hosts
        self._manners = manners
        self._stopped = stopped or threading.Event()
        self._pace = RateLimiter(manners.rate, self._stopped)
        self.requests = 0
        self._client = httpx.Client(
            headers={"User-Agent": manners.user_agent},
            timeout=min(manners.timeout, 30.0),
            limits=httpx.Limits(max_connections=manners.connections),
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes its connections."""
        self._client.close()

    def get(
        self,
        url: str,
        *,
        largest: int,
        headers: Mapping[str, str] | None = None,
        read: Callable[[Reply], T],
    ) -> T:
        """Asks for an address until there is an answer.

        Args:
            url: the address; what is secret in it appears in no message.
            largest: bytes of the body.
            headers: further ones.
            read: makes something of the reply; where it raises `ReplyError`, the server is asked again.

        Returns:
            what `read` made.

        Raises:
            BlockedError: the server answered 403.
            NetworkError: there is no answer that makes sense, after all tries; or the host is not allowed.
        """
        for attempt in Retrying(
            retry=retry_if_exception_type((TransientError, ReplyError)),
            stop=stop_after_attempt(self._manners.tries),
            wait=self._wait,
            sleep=self._sleep,
            reraise=True,
        ):
            with attempt:
                return read(self._once(url, largest, headers or {}))
        raise AssertionError  # reraise makes this unreachable

    def _once(self, url: str, largest: int, headers: Mapping[str, str]) -> Reply:
        base: httpx.URL | None = None
        for _ in range(REDIRECTS + 1):
            target = self._allowed(url, base)
            with self._pace:
                if self._stopped.is_set():
                    raise NetworkError("stopped")
                reply = self._fetch(target, largest, headers)
            if reply.status not in (301, 302, 303, 307, 308):
                return self._judged(target, reply)
            url, base = reply.headers.get("location", ""), target
        raise NetworkError(
            f"{_shown(target)} redirects more than {REDIRECTS} times; that address is not asked"
        )

    def _allowed(self, url: str, base: httpx.URL | None = None) -> httpx.URL:
        """An address, relative to `base` if there is one. A query stays on its own host."""
        try:
            target = base.join(url) if base else httpx.URL(url)
        except (httpx.InvalidURL, ValueError) as error:
            raise NetworkError(f"an address cannot be read ({error})") from None
        host = target.netloc.decode("ascii", "replace")
        safe = target.scheme == "https" or (target.scheme == "http" and target.host in LOOPBACK)
        if not safe or target.userinfo or host not in self._hosts:
            raise NetworkError(f"{_shown(target)} is not among the hosts that may be asked, so it was not")
        return target

    def _fetch(self, target: httpx.URL, largest: int, headers: Mapping[str, str]) -> Reply:
        self.requests += 1
        until = time.monotonic() + self._manners.timeout
        try:
            with self._client.stream("GET", target, headers=dict(headers)) as response:
                announced = response.headers.get("content-length", "")
                body = bytearray()
                if not (announced.isdecimal() and int(announced) > largest):
                    for chunk in response.iter_bytes():
                        body += chunk
                        if len(body) > largest:
                            break
                        if time.monotonic() > until or self._stopped.is_set():
                            raise TransientError(
                                f"{_shown(target)} did not end within {self._manners.timeout:g} s"
                            )
                    else:
                        return Reply(response.status_code, _lower(response.headers), bytes(body))
        except httpx.HTTPError as error:
            raise TransientError(
                f"{_shown(target)} cannot be reached, or broke off ({type(error).__name__})"
            ) from None
        raise NetworkError(f"{_shown(target)} sends more than {largest:,} bytes; it was not read to its end")

    def _judged(self, target: httpx.URL, reply: Reply) -> Reply:
        if reply.status == 403:
            raise BlockedError(
                f"{_shown(target)} answered 403: the key is wrong, or this address is blocked for a while; nothing more"
                " was asked. Wait some hours, check STEAM_API_KEY, and lower the rates before you go on"
            )
        if reply.status == 429 or reply.status >= 500:
            wait = _retry_after(reply.headers.get("retry-after", ""))
            if wait > LONGEST_WAIT:
                raise NetworkError(f"{_shown(target)} asks to wait {wait:,.0f} s; go on later")
            if reply.status == 429:
                self._pace.hold(max(wait, self._manners.backoff))
            raise TransientError(f"{_shown(target)} answered {reply.status}", wait)
        return reply

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        doubled = self._manners.backoff * 2.0 ** (state.attempt_number - 1)
        jittered = doubled * (0.5 + random.random())  # noqa: S311 (spreads requests, guards nothing)
        return float(max(min(jittered, LONGEST_WAIT), getattr(error, "wait", 0.0)))

    def _sleep(self, seconds: float) -> None:
        if self._stopped.wait(seconds):
            raise NetworkError("stopped")


def host_of(url: str) -> str:
    """An address's host, with the port where that is not the scheme's own.

    Raises:
        UsageError: it is not an address.
    """
    try:
        return httpx.URL(url).netloc.decode("ascii")
    except httpx.InvalidURL as error:
        raise UsageError(f"the address {url!r} cannot be used: {error}") from None


def _lower(headers: httpx.Headers) -> dict[str, str]:
    return {key.lower(): value for key, value in headers.items()}


def _shown(target: httpx.URL) -> str:
    """An address without its parameters, which may hold a key."""
    return f"{target.scheme}://{target.netloc.decode('ascii', 'replace')}{target.path}"[:200]


def _retry_after(text: str) -> float:
    """Seconds of a Retry-After header, given as a number or as a date; 0 for none that can be read."""
    if text.strip().isdecimal():
        return float(text)
    try:
        return max(parsedate_to_datetime(text).timestamp() - time.time(), 0.0)
    except (ValueError, TypeError, OverflowError):
        return 0.0
