"""Connections to object storage: Amazon's S3 and what speaks its language, Google's and Microsoft's.

Who may use them, and where they are, comes from each vendor's usual environment variables, such as
``AWS_ACCESS_KEY_ID`` and ``AWS_ENDPOINT_URL``. They are read by obstore when a bucket is first used, and are neither
stored nor shown.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from itertools import count
from typing import Any, TypeVar

from steamdino.errors import MissingExtraError, SourceError

T = TypeVar("T")

TRIES = 3
"""How often an object is read whose transfer breaks off. obstore itself repeats requests that get no answer, or one
that says to slow down."""

PAUSE = 0.2
"""Seconds before the second try; doubled for the third."""

RETRIES = 6
"""How often obstore repeats such a request."""

EMULATOR = "STORAGE_EMULATOR_HOST"
"""The variable by which Google's tools find an emulator, which obstore does not read."""

ENDPOINTS = {
    "s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    "gs": (EMULATOR, "GOOGLE_BASE_URL"),
    "az": ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
}
"""The variables with the address of each store."""

_STATUS = re.compile(r"status code: (\d{3})")


def split(address: str) -> tuple[str, str]:
    """Return the bucket's address and the key: ("s3://bucket", "covers/portal.jpg")."""
    scheme, _, rest = address.partition("://")
    bucket, _, key = rest.partition("/")
    return f"{scheme}://{bucket}", key


def library() -> Any:
    """Return obstore.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import obstore
    except ImportError:
        raise MissingExtraError("object storage", "objects") from None
    return obstore


@cache
def client(root: str) -> Any:
    """Return the client of a bucket, one for a process; threads share it.

    Raises:
        MissingExtraError: obstore is not installed.
        SourceError: the address or the environment makes no sense.
    """
    library()
    from obstore.store import from_url

    scheme = root.partition("://")[0]
    options: dict[str, Any] = {"connect_timeout": timedelta(seconds=5), "timeout": timedelta(seconds=60)}
    if any(os.environ.get(name, "").startswith("http://") for name in ENDPOINTS[scheme]):
        options["allow_http"] = True  # an endpoint that is named so is meant so
    retries: Any = {"max_retries": RETRIES, "retry_timeout": timedelta(seconds=60)}
    more: dict[str, Any] = {}
    if (
        scheme == "s3"
        and (profile := os.environ.get("AWS_PROFILE"))
        and "AWS_ACCESS_KEY_ID" not in os.environ
    ):
        more["credential_provider"] = _of_profile(profile)
    if scheme == "gs" and (emulator := os.environ.get(EMULATOR)):
        more |= {"base_url": emulator, "skip_signature": True}
    try:
        return from_url(root, client_options=options, retry_config=retries, **more)  # type: ignore[call-overload]
    except Exception as error:
        raise SourceError(f"{root} cannot be opened: {str(error).partition(chr(10))[0]}") from None


def _of_profile(profile: str) -> Any:
    """Return what gives obstore the credentials of a profile in ``~/.aws``, which it does not read itself.

    Raises:
        MissingExtraError: boto3 is not installed.
        SourceError: there is no such profile, or it gives no credentials, such as those of a login that has ended.
    """
    try:
        from boto3 import Session
        from obstore.auth.boto3 import Boto3CredentialProvider
    except ImportError:
        raise MissingExtraError("the profile in AWS_PROFILE", "profiles") from None
    try:
        session = Session(profile_name=profile)
        if session.get_credentials() is None:
            raise LookupError("it holds no credentials")
        provider = Boto3CredentialProvider(session)
        provider()  # a login may have ended
    except Exception as error:
        told = str(error).partition("\n")[0]
        raise SourceError(f"AWS_PROFILE is {profile!r}, which cannot be used: {told}") from None
    return provider


def reason(error: Exception, missing: str = "the object does not exist") -> str:
    """What went wrong, without the address and without what a store's own text may repeat of a request."""
    name = type(error).__name__
    if name == "InvalidPathError" or isinstance(error, ValueError):  # of one key, for which all others suffer
        return (
            f"a key has an empty part, or one of dots: {str(error).partition(chr(10))[0]}; rename that object"
        )
    found = _STATUS.search(str(error))
    status = found[1] if found else ""
    if isinstance(error, FileNotFoundError) or status == "404":
        return missing
    if (
        isinstance(error, PermissionError)
        or status in ("401", "403")
        or "Permission" in name
        or "Unauth" in name
    ):
        return "the object store refuses access; check the credentials in the environment"
    if status:
        return f"the object store answered {status}"
    return "the object store does not answer; check the endpoint in the environment"


def tried(request: Callable[[], T]) -> T:
    """Send a request, and send it again if a transfer breaks off; what the store itself answers is not asked for again.

    Raises:
        Exception: that of the last try, of the library's own types.
    """
    for attempt in count(1):
        try:
            return request()
        except Exception as error:
            if isinstance(error, OSError) or has_changed(error) or attempt == TRIES:
                raise
            time.sleep(PAUSE * 2 ** (attempt - 1))
    raise AssertionError


def has_changed(error: Exception) -> bool:
    """Whether a request failed since an object is no longer of the version that it named."""
    return type(error).__name__ == "PreconditionError"
