"""Validation of untrusted text: single lines, sha256 digests, https addresses, absolute paths.

Names, addresses and digests come from untrusted sources and end up in terminals, pages, links and file names. Code
that builds any of these from a text validates the text here first.
"""

from __future__ import annotations

import re
import reprlib
from pathlib import PurePosixPath
from typing import Any, TypeGuard

UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that a line must not contain: control characters, line and paragraph separators, bidirectional overrides
(they reorder the text around them), and lone surrogates (they cannot be stored). The set is the same in all versions of
Unicode, unlike `str.isprintable`, which also refuses the ideographic space and the newest letters."""

LONGEST_ADDRESS = 2000

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HTTPS = re.compile(
    rf"https://(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?\.?(?::\d{{1,5}})?"
    r"(?:[/?#][a-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*)?",
    re.IGNORECASE | re.ASCII,
)
_ABSOLUTE = re.compile(
    r"""(?:^|(?<=[\s"'(\[<=:,;`]))(?:~?/(?![\s/])|(?<!:)//)\S"""  # /home, ~/covers, //server/share; not https://
    r"|(?<![A-Za-z0-9])[A-Za-z]:[\\/]"  # C:\ and C:/
    r"|\\\\[^\s\\]"  # \\server
    r"|(?<![A-Za-z0-9])file:",
)
_shorten = reprlib.Repr()
_shorten.maxstring = _shorten.maxother = 80


def is_line(value: object, longest: int) -> TypeGuard[str]:
    """Return whether a value is a text of at most `longest` characters that fits on one line and can be stored."""
    return isinstance(value, str) and len(value) <= longest and not UNPRINTABLE.search(value)


def as_line(text: str, longest: int) -> str:
    """Return a text as one line: forbidden characters become U+FFFD, and the text is cut to `longest` characters."""
    return UNPRINTABLE.sub("\ufffd", text[:longest])


def is_sha256(value: object) -> TypeGuard[str]:
    """Return whether a value is a sha256 in lower-case hex."""
    return isinstance(value, str) and _SHA256.fullmatch(value) is not None


def is_https(value: object) -> TypeGuard[str]:
    """Return whether a value is an https:// address (RFC 3986) of a named host, at most `LONGEST_ADDRESS` long."""
    return isinstance(value, str) and len(value) <= LONGEST_ADDRESS and _HTTPS.fullmatch(value) is not None


def content_path(sha256: str, suffix: str, digits: int = 64) -> PurePosixPath:
    """Return the relative path of a file named by its content: ``"ab/ab12...ef.jpg"``.

    An unusual suffix is dropped. `digits` is how many digits of the digest the name has.

    Raises:
        ValueError: the digest is not a sha256, so the path could leave the folder.
    """
    if not is_sha256(sha256):
        raise ValueError(f"{shown(sha256)} is not a sha256 in lower-case hex")
    return PurePosixPath(sha256[:2], sha256[:digits] + (suffix if _SUFFIX.fullmatch(suffix) else ""))


def names_a_path(text: str) -> bool:
    """Return whether a text appears to contain an absolute path (POSIX, Windows or UNC), which reveals a machine."""
    return _ABSOLUTE.search(text) is not None


def shown(value: Any) -> str:
    """Return a value in a form that fits in an error message, however large it is."""
    try:
        return _shorten.repr(value)
    except ValueError:  # Python does not print integers of more than 4,300 digits
        return "a huge number"
