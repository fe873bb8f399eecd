"""Download a file from the model hub, and check its hash.

huggingface_hub finds the file, its hash and the address of its bytes; `features.resumed_download` fetches them. What
other programs have put into huggingface_hub's cache is used.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from steamdino.errors import MissingExtraError, ModelError
from steamdino.features import resumed_download
from steamdino.features.model_files import sha256
from steamdino.net.certificates import ADVICE, refusal
from steamdino.records import Progress
from steamdino.storage.atomic import link_or_copy
from steamdino.storage.cache import ADVICE as FOLDER_ADVICE
from steamdino.storage.cache import cache_folder

if TYPE_CHECKING:
    from huggingface_hub import HfFileMetadata


CONNECT = 2.0
"""Seconds to connect to the hub."""


@dataclass(frozen=True, slots=True)
class Download:
    """A downloaded file.

    Attributes:
        path: the file; it must be neither moved nor changed.
        revision: the commit that it belongs to, 40 hex digits.
        sha256: of its bytes.
        is_ours: whether it was downloaded here, and not found in huggingface_hub's cache.
    """

    path: Path
    revision: str
    sha256: str
    is_ours: bool

    def put(self, target: Path) -> None:
        """Make a file with its content elsewhere, without a second copy of its bytes if possible."""
        if self.is_ours:
            link_or_copy(self.path, target)
        else:
            shutil.copyfile(self.path, target)

    def discard(self) -> None:
        """Remove the file if it was downloaded here, once it has been copied."""
        if self.is_ours:
            resumed_download.discard(self.path)


class DownloadError(ModelError):
    """A file was not downloaded; the same call may go on where this one stopped."""


class AbsentFileError(DownloadError):
    """The hub answers, but has no such file."""


def download(
    repo: str,
    name: str,
    *,
    revision: str = "main",
    expected: str | None = None,
    progress: Progress | None = None,
) -> Download:
    """Download a file, or return it from huggingface_hub's cache.

    huggingface_hub's settings apply: ``HF_ENDPOINT``, ``HF_HOME``, ``HF_TOKEN``, ``HF_HUB_OFFLINE``. A download resumes
    where an earlier one stopped, even if its process was killed; what has arrived is kept until `Download.discard`, or
    for a week. A hub that cannot be reached is given up after two seconds, one that stalls after about a minute.

    Args:
        repo: "owner/name".
        name: the file's path in it.
        revision: a branch, a tag or a commit.
        expected: the sha256 that it must have; None to rely on the hash that the hub publishes.
        progress: called with (bytes done, total bytes).

    Raises:
        DownloadError: the file cannot be downloaded.
        ModelError: it has another hash.
        MissingExtraError: huggingface_hub is not installed.
    """
    _settle_environment()
    try:
        import huggingface_hub as hub
    except ImportError:
        raise MissingExtraError("fetching from the model hub", "hub") from None

    hub.logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # the error reports what goes wrong
    where = f"{repo}/{name}"
    try:
        if _offline():
            published, found = None, hub.try_to_load_from_cache(repo, name, revision=revision)
        else:
            published = _published(hub.hf_hub_url(repo, name, revision=revision))
            found = hub.try_to_load_from_cache(repo, name, revision=published.commit_hash)
        if isinstance(found, str):
            path, is_ours = Path(found), False
        elif published is None:
            raise hub.errors.LocalEntryNotFoundError(where)
        else:
            path, is_ours = _downloaded(where, published, progress or (lambda done, total: None)), True
    except ModelError:
        raise
    except Exception as error:  # a broken network or a faulty server can make the client raise anything
        kind = AbsentFileError if isinstance(error, hub.errors.RemoteEntryNotFoundError) else DownloadError
        raise kind(f"{where} cannot be downloaded: {_reason(error, repo)}") from None
    revision = (published and published.commit_hash) or path.parents[name.count("/")].name
    made = Download(path, revision, sha256(path), is_ours)
    if expected is not None and made.sha256 != expected:
        _forget(made)
        raise ModelError(
            f"{where} is not the expected file: its sha256 is {made.sha256}, and should be {expected}"
        )
    if published is not None and not _as_published(path, made.sha256, published):
        _forget(made)
        raise ModelError(f"{where} arrived damaged: the hub publishes the hash {published.etag}; try again")
    return made


def _published(url: str) -> HfFileMetadata:
    """Ask the hub for a file's hash, size and commit."""
    from huggingface_hub import constants, errors, get_hf_file_metadata

    patience = float(constants.HF_HUB_ETAG_TIMEOUT)
    # httpx takes the seconds to connect, read, write and wait for a connection one by one.
    timeout: Any = (min(CONNECT, patience), patience, patience, patience)
    published = get_hf_file_metadata(url, timeout=timeout)
    if published.commit_hash is None or published.etag is None:
        raise errors.FileMetadataError(f"{url} has no commit or no hash")
    return published


def _downloaded(where: str, published: HfFileMetadata, progress: Progress) -> Path:
    """Download a file, or what is missing of it."""
    from urllib.parse import urlsplit

    from huggingface_hub import constants, utils

    client: Any = utils
    session = client.get_session()
    address = published.location
    headers = client.build_hf_headers() | {
        "Accept-Encoding": "identity"
    }  # ranges are of the bytes as they are sent
    if urlsplit(address).netloc != urlsplit(constants.ENDPOINT).netloc:
        headers.pop("authorization", None)  # storage elsewhere has signed addresses
    patience = float(constants.HF_HUB_DOWNLOAD_TIMEOUT)

    def request(more: Mapping[str, str]) -> Any:
        timeout = (min(CONNECT, patience), patience, patience, patience)
        return session.stream(
            "GET", address, headers={**headers, **more}, timeout=timeout, follow_redirects=True
        )

    with resumed_download.held(f"{where}\n{published.etag}", where) as part:
        resumed_download.complete(
            part, published.size, request, client.hf_raise_for_status, _lost(session), progress
        )
    return part


def _lost(session: Any) -> tuple[type[Exception], ...]:
    """Return the errors of lost connections of the library that huggingface_hub uses: httpx, or its successor."""
    library = import_module(type(session).__module__.partition(".")[0])
    return (library.TransportError,)


def _settle_environment() -> None:
    """Set what huggingface_hub does not find out: a cache folder, and the certificates that Requests would use.

    It would create a folder named "~" if the home folder is unknown. Unless told not to report what it runs in, it asks
    the hub what to report before its first request, and waits three seconds for the answer.
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    if (bundle := os.environ.get("REQUESTS_CA_BUNDLE")) and not os.environ.get("SSL_CERT_DIR"):
        os.environ.setdefault("SSL_CERT_FILE", bundle)
    cache = cache_folder()
    if os.path.expanduser("~") == "~" and cache and not os.environ.get("XDG_CACHE_HOME"):  # noqa: PTH111 (never raises)
        os.environ.setdefault("HF_HOME", str(cache / "huggingface"))


def _offline() -> bool:
    from huggingface_hub import constants

    return bool(constants.is_offline_mode())


def _as_published(path: Path, digest: str, published: HfFileMetadata) -> bool:
    """Return whether a file has the hash that the hub publishes: a sha256 for large files, Git's for small ones."""
    etag = published.etag or ""
    if re.fullmatch(r"[0-9a-f]{64}", etag):
        return digest == etag
    if re.fullmatch(r"[0-9a-f]{40}", etag):
        data = path.read_bytes()
        return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest() == etag
    return True  # other implementations of the hub publish no hash


def _forget(made: Download) -> None:
    if made.is_ours:
        made.discard()
        return
    made.path.resolve().unlink(missing_ok=True)
    made.path.unlink(missing_ok=True)


def _reason(error: Exception, repo: str) -> str:
    """Return one line with what went wrong and what to do."""
    from huggingface_hub import constants, errors

    endpoint = constants.ENDPOINT
    if isinstance(error, errors.GatedRepoError):
        return f"it is gated; accept its terms at {endpoint}/{repo}, then set HF_TOKEN or run: hf auth login"
    if isinstance(
        error, errors.RepositoryNotFoundError | errors.RevisionNotFoundError | errors.EntryNotFoundError
    ):
        if not isinstance(error, errors.LocalEntryNotFoundError):
            return f"{endpoint} has no such file, or you have no access; check HF_TOKEN, or name a file with --weights"
        if _offline():
            return "it is not in the cache, and HF_HUB_OFFLINE forbids the network; unset it and try again"
    if isinstance(error, errors.FileMetadataError):
        return f"{endpoint} does not answer as a model hub; check HF_ENDPOINT, your proxy and your firewall"
    if isinstance(error, errors.HfHubHTTPError):
        return f"{endpoint} answered {error.response.status_code}; try again later"
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename} cannot be used: {error.strerror}; {FOLDER_ADVICE}"
    if isinstance(error, OSError) and error.errno:
        return f"{error.strerror}; try again later"
    if why := refusal(error):
        return f"the certificate of {endpoint} was refused ({why}); {ADVICE}"
    cause = error.__cause__ or error
    return (
        f"{endpoint} cannot be reached, or closed the connection ({type(cause).__name__});"
        " run the same command again to resume"
    )
