"""What text must look like before anything is built from it: one line, a sha256, an https address, no path.

Names, addresses and digests come from strangers and end in terminals, pages, links and names of files. Whoever builds
one of these from a text checks the text here first.
"""

from __future__ import annotations

import re
import reprlib
from pathlib import PurePosixPath
from typing import Any, TypeGuard

UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What must not be in a line: control characters, line and paragraph separators, bidirectional overrides (they reorder
the text around them), and halves of characters (nothing can store them). The set is the same in all versions of
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
    """Whether a value is a text of at most `longest` characters that stays on one line and can be stored and shown."""
    return isinstance(value, str) and len(value) <= longest and not UNPRINTABLE.search(value)


def as_line(text: str, longest: int) -> str:
    """A text as one line: what must not be in it becomes U+FFFD, and what is too much is cut off."""
    return UNPRINTABLE.sub("\ufffd", text[:longest])


def is_sha256(value: object) -> TypeGuard[str]:
    """Whether a value is a sha256 in lower-case hex."""
    return isinstance(value, str) and _SHA256.fullmatch(value) is not None


def is_https(value: object) -> TypeGuard[str]:
    """Whether a value is an https:// address of a named host, of at most `LONGEST_ADDRESS` characters of RFC 3986."""
    return isinstance(value, str) and len(value) <= LONGEST_ADDRESS and _HTTPS.fullmatch(value) is not None


def content_path(sha256: str, suffix: str, digits: int = 64) -> PurePosixPath:
    """The relative path of a file that is named by its content: ``"ab/ab12...ef.jpg"``.

    An unusual suffix is dropped. `digits` says how many of the digest's name the file.

    Raises:
        ValueError: the digest is no sha256, and could lead out of the folder.
    """
    if not is_sha256(sha256):
        raise ValueError(f"{shown(sha256)} is not a sha256 in lower-case hex")
    return PurePosixPath(sha256[:2], sha256[:digits] + (suffix if _SUFFIX.fullmatch(suffix) else ""))


def names_a_path(text: str) -> bool:
    """Whether a text seems to hold an absolute path (POSIX, Windows or UNC), which says something about a machine."""
    return _ABSOLUTE.search(text) is not None


def shown(value: Any) -> str:
    """A value as it can be put into an error's line, however large it is."""
    try:
        return _shorten.repr(value)
    except ValueError:  # Python writes no whole number of more than 4,300 digits
        return "a huge number"
