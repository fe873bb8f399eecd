"""The curator: whoever knows the token of `[web] curator_token` may decide about duplicates.

The token is sent once, in a form. The browser then keeps a session: a time and a signature made with the token. All
workers and servers with the same token accept it, nothing is stored, and another token ends all sessions.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable

from fastapi import Request
from starlette.exceptions import HTTPException

COOKIE = "curator"
SECONDS = 12 * 3600
"""How long a session lasts."""
ATTEMPTS = 5
"""Tokens that one client address may try in a minute."""


class Curator:
    """Checks the token, and makes and checks sessions. Threads may share it."""

    def __init__(self, token: str, clock: Callable[[], float] = time.time) -> None:
        """Take the token; an empty one opens nothing."""
        self.is_known = bool(token)
        self._key = hashlib.sha256(b"steam-dino curator " + token.encode()).digest()
        self._clock = clock

    def opens(self, token: str) -> bool:
        """Return whether this is the token, in a time that does not depend on where it differs."""
        tried = hashlib.sha256(b"steam-dino curator " + token.encode("utf-8", "replace")).digest()
        return hmac.compare_digest(tried, self._key) and self.is_known

    def session(self) -> str:
        """Start a session."""
        text = f"{int(self._clock()) + SECONDS}.{secrets.token_hex(8)}"
        return f"{text}.{self._signed('session', text)}"

    def is_open(self, session: str) -> bool:
        """Return whether a session was started here and has not ended."""
        text, _, signature = session.rpartition(".")
        until = text.partition(".")[0]
        if not hmac.compare_digest(
            self._signed("session", text).encode(), signature.encode("utf-8", "replace")
        ):
            return False
        return self.is_known and until.isdecimal() and int(until) > self._clock()

    def form_key(self, session: str) -> str:
        """Return what the forms of a session carry, and no other site's form can know."""
        return self._signed("form", session)

    def _signed(self, purpose: str, text: str) -> str:
        return hmac.new(self._key, f"{purpose} {text}".encode("utf-8", "replace"), "sha256").hexdigest()


def curator(request: Request) -> Curator:
    """Return the app's curator."""
    found: Curator = request.app.state.curator
    return found


def session_of(request: Request) -> str:
    """Return the browser's session if it is open, else nothing."""
    session = request.cookies.get(COOKIE, "")
    return session if curator(request).is_open(session) else ""


def check_form(request: Request, key: str) -> None:
    """Check that a form of a curator's own page was sent.

    Raises:
        HTTPException: 403; there is no session, or the form is from elsewhere.
    """
    session = session_of(request)
    if not session:
        raise HTTPException(
            403, "only the curator decides about duplicates, and you are not logged in; see /curator"
        )
    expected = curator(request).form_key(session)
    if not hmac.compare_digest(expected.encode(), key.encode("utf-8", "replace")):
        raise HTTPException(
            403, "this form is not from this page, or from an earlier session; open the page again"
        )
