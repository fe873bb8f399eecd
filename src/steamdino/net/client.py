"""GET requests to allowed hosts, with rate limits, limits on size and time, and retries with exponential backoff.

==================  ======================================================================================
200, 304, 404, ...  returned as they are
429, 5xx            retried after `backoff` seconds, doubling, with jitter, and at least after Retry-After; at 429
                    all requests of the client wait
401, 403            raises at once: the key is wrong, or each further request would prolong a block of this address
redirects           refused if they lead to a host that is not allowed
disconnects, slow   retried like 5xx
==================  ======================================================================================

Each retry is logged at INFO, with its reason and how long it waits.
"""

from __future__ import annotations

import logging
import random
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TypeVar

import httpx2 as httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

from steamdino.errors import BlockedError, NetworkError, ReplyError, UsageError
from steamdino.net.certificates import ADVICE, refusal, trusted
from steamdino.net.rate_limit import RateLimiter

LOG = logging.getLogger(__name__)

LONGEST_WAIT = 600.0
"""Seconds; a longer Retry-After ends the request."""

REDIRECTS = 3
LOOPBACK = ("127.0.0.1", "localhost", "::1")

T = TypeVar("T")


class _WithoutQueries(logging.Filter):
    """Remove the query, which may contain a key, from each address that is logged."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact a record; let all records through."""
        if isinstance(record.args, tuple):
            record.args = tuple(_shown(one) if isinstance(one, httpx.URL) else one for one in record.args)
        return True


# httpx2 logs each address at INFO. The level keeps addresses out of the logs of programs that log everything; the
# filter keeps the key out of the logs of programs that set httpx2's level themselves.
logging.getLogger("httpx2").setLevel(logging.WARNING)
logging.getLogger("httpx2").addFilter(_WithoutQueries())
logging.getLogger("httpcore2").setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class ClientPolicy:
    """The rate, retry and timeout settings of a client.

    Attributes:
        rate: maximum number of requests per second; 0 for no limit.
        connections: maximum number of simultaneous requests.
        backoff: seconds before the first retry; each further retry waits twice as long.
        tries: maximum number of attempts per request, including the first.
        timeout: seconds for a whole request, including its body.
        user_agent: value of the User-Agent header.
    """

    rate: float
    connections: int
    backoff: float
    tries: int
    timeout: float
    user_agent: str


@dataclass(frozen=True, slots=True)
class Reply:
    """A server's response: the status, headers by lower-case name, and the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class TransientError(NetworkError):
    """A failure that may pass; the request is retried.

    Attributes:
        wait: seconds that the server asked to wait; 0 if it did not.
    """

    def __init__(self, message: str, wait: float = 0.0) -> None:
        super().__init__(message)
        self.wait = wait


class ThrottledError(TransientError):
    """The server asks for fewer requests: all requests of the client wait before this one is retried."""


class Client:
    """A client for use from any thread. Close it, or use it as a context manager."""

    def __init__(
        self, hosts: tuple[str, ...], policy: ClientPolicy, stopped: threading.Event | None = None
    ) -> None:
        """Create a client.

        Args:
            hosts: allowed hosts: "host", or "host:port" for a port other than the scheme's default.
            policy: rate, retries and timeouts.
            stopped: when set, waiting ends and requests raise `NetworkError`.
        """
        self._hosts = hosts
        self._policy = policy
        self._stopped = stopped or threading.Event()
        self._pace = RateLimiter(policy.rate, self._stopped)
        self.requests = 0
        self._client = httpx.Client(
            headers={"User-Agent": policy.user_agent},
            timeout=min(policy.timeout, 30.0),
            limits=httpx.Limits(max_connections=policy.connections),
            verify=_certificates(),
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the client's connections."""
        self._client.close()

    def get(
        self,
        url: str,
        *,
        largest: int,
        headers: Mapping[str, str] | None = None,
        read: Callable[[Reply], T],
    ) -> T:
        """Request an address, with retries, until there is a valid reply.

        Args:
            url: the address; its query, which may hold a key, appears in no message.
            largest: maximum size of the body in bytes.
            headers: additional headers.
            read: parses the reply; if it raises `ReplyError` or `TransientError`, the request is retried.

        Returns:
            what `read` returned.

        Raises:
            BlockedError: the server answered 401 or 403.
            NetworkError: there is no valid reply after all tries, or the host is not allowed.
        """
        for attempt in Retrying(
            retry=retry_if_exception_type((TransientError, ReplyError)),
            stop=stop_after_attempt(self._policy.tries),
            wait=self._wait,
            sleep=self._sleep,
            before_sleep=_log_retry,
            reraise=True,
        ):
            with attempt:
                try:
                    return read(self._once(url, largest, headers or {}))
                except ThrottledError as error:
                    self._pace.hold(max(error.wait, self._policy.backoff))
                    raise
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
            f"{_shown(target)} redirects more than {REDIRECTS} times; the request was given up"
        )

    def _allowed(self, url: str, base: httpx.URL | None = None) -> httpx.URL:
        """Return an address, relative to `base` if given. Its query is sent to its own host only."""
        try:
            target = base.join(url) if base else httpx.URL(url)
        except (httpx.InvalidURL, ValueError) as error:
            raise NetworkError(f"an address is not valid ({error})") from None
        host = target.netloc.decode("ascii", "replace")
        safe = target.scheme == "https" or (target.scheme == "http" and target.host in LOOPBACK)
        if not safe or target.userinfo or host not in self._hosts:
            raise NetworkError(f"{_shown(target)} is not on an allowed host; nothing was requested from it")
        return target

    def _fetch(self, target: httpx.URL, largest: int, headers: Mapping[str, str]) -> Reply:
        self.requests += 1
        until = time.monotonic() + self._policy.timeout
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
                                f"{_shown(target)} did not finish within {self._policy.timeout:g} s"
                            )
                    else:
                        return Reply(response.status_code, _lower(response.headers), bytes(body))
        except httpx.HTTPError as error:
            if reason := refusal(error):
                raise NetworkError(
                    f"the certificate of {target.netloc.decode('ascii', 'replace')} was refused ({reason}); {ADVICE}"
                ) from None
            raise TransientError(
                f"{_shown(target)} cannot be reached, or closed the connection ({type(error).__name__})"
            ) from None
        raise NetworkError(f"{_shown(target)} sends more than {largest:,} bytes; the download was stopped")

    def _judged(self, target: httpx.URL, reply: Reply) -> Reply:
        if reply.status in (401, 403):
            raise BlockedError(
                f"{_shown(target)} answered {reply.status}: the key is wrong, or this address is blocked for a while;"
                " nothing more was requested. Wait some hours, check STEAM_API_KEY, and lower the rates before you"
                " continue"
            )
        if reply.status == 429 or reply.status >= 500:
            wait = _retry_after(reply.headers.get("retry-after", ""))
            if wait > LONGEST_WAIT:
                raise NetworkError(f"{_shown(target)} asks to wait {wait:,.0f} s; try again later")
            kind = ThrottledError if reply.status == 429 else TransientError
            raise kind(f"{_shown(target)} answered {reply.status}", wait)
        return reply

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        doubled = self._policy.backoff * 2.0 ** (state.attempt_number - 1)
        jittered = doubled * (0.5 + random.random())  # noqa: S311 (spreads requests, guards nothing)
        return float(max(min(jittered, LONGEST_WAIT), getattr(error, "wait", 0.0)))

    def _sleep(self, seconds: float) -> None:
        if self._stopped.wait(seconds):
            raise NetworkError("stopped")


def _log_retry(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    seconds = state.next_action.sleep if state.next_action else 0.0
    reason = str(error).removesuffix("; try again later")
    LOG.info("%s; trying again in %.0f s", reason, seconds, extra={"seconds": seconds})


@cache
def _certificates() -> ssl.SSLContext:
    """Return the certificates to trust; reading them takes longer than anything else that a new client does."""
    return trusted()


def host_of(url: str) -> str:
    """Return an address's host, with the port if it is not the scheme's default.

    Raises:
        UsageError: it is not a valid address.
    """
    try:
        return httpx.URL(url).netloc.decode("ascii")
    except httpx.InvalidURL as error:
        raise UsageError(f"the address {url!r} is not valid: {error}") from None


def _lower(headers: httpx.Headers) -> dict[str, str]:
    return {key.lower(): value for key, value in headers.items()}


def _shown(target: httpx.URL) -> str:
    """Return an address without its query, which may contain a key."""
    return f"{target.scheme}://{target.netloc.decode('ascii', 'replace')}{target.path}"[:200]


def _retry_after(text: str) -> float:
    """Return the seconds of a Retry-After header, given as a number or a date; 0 if it cannot be parsed."""
    if text.strip().isdecimal():
        return float(text)
    try:
        return max(parsedate_to_datetime(text).timestamp() - time.time(), 0.0)
    except (ValueError, TypeError, OverflowError):
        return 0.0
