"""Which certificates servers may prove themselves with, and what is said when one is refused."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from pathlib import Path

from steamdino.errors import UsageError

VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Where people name certificates, the first one that is set wins: for OpenSSL, for Requests and for curl."""

ADVICE = f"if your own network signs for it, name its certificates with {VARIABLES[0]}"


def trusted() -> ssl.SSLContext:
    """Return a context that trusts the certificates that the environment names, else those of the system.

    Raises:
        UsageError: what it names cannot be read as certificates.
    """
    import httpx2 as httpx

    for name in VARIABLES:
        if named := os.environ.get(name):
            return _of(name, Path(named))
    return httpx.create_ssl_context(trust_env=False)


def refusal(error: BaseException) -> str:
    """Return why a certificate was refused; empty if an error has another cause."""
    for one in _causes(error):
        if isinstance(one, ssl.SSLCertVerificationError):
            return one.verify_message or "it is not valid"
        if "CERTIFICATE_VERIFY_FAILED" in str(one):
            return str(one).partition("verify failed: ")[2].partition(" (_ssl")[0] or "it is not valid"
    return ""


def _of(name: str, path: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if not path.is_dir():
            context.load_verify_locations(cafile=path)
            return context
        context.load_verify_locations(
            capath=path
        )  # finds those that are named by a hash, when they are needed
        for file in sorted(path.iterdir()):
            if file.suffix in (".pem", ".crt", ".cer") and file.is_file():
                context.load_verify_locations(cafile=file)
    except OSError as error:  # which SSLError is, too
        reason = "it holds no certificates" if isinstance(error, ssl.SSLError) else error.strerror
        raise UsageError(
            f"{name} is {str(path)!r}, which cannot be used: {reason}; correct or unset it"
        ) from None
    return context


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
