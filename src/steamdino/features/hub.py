"""Download a file from the model hub with huggingface_hub, and check its hash."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from steamdino.errors import MissingExtraError, ModelError
from steamdino.features.model_files import sha256
from steamdino.net.certificates import ADVICE, refusal
from steamdino.records import Progress
from steamdino.storage.cache import cache_folder

if TYPE_CHECKING:
    from huggingface_hub import HfFileMetadata


@dataclass(frozen=True, slots=True)
class Download:
    """A downloaded file.

    Attributes:
        path: the file in huggingface_hub's cache; it must not be moved.
        revision: the commit that it belongs to, 40 hex digits.
        sha256: of its bytes.
    """

    path: Path
    revision: str
    sha256: str


class AbsentFileError(ModelError):
    """The hub answers, but has no such file."""


def download(
    repo: str,
    name: str,
    *,
    revision: str = "main",
    expected: str | None = None,
    progress: Progress | None = None,
) -> Download:
    """Download a file, or return it from the cache.

    huggingface_hub's settings apply: ``HF_ENDPOINT``, ``HF_HOME``, ``HF_TOKEN``, ``HF_HUB_OFFLINE``. An interrupted
    download resumes where it stopped. A hub that stalls is given up after about a minute.

    Args:
        repo: "owner/name".
        name: the file's path in it.
        revision: a branch, a tag or a commit.
        expected: the sha256 that it must have; None to rely on the hash that the hub publishes.
        progress: called with (bytes done, total bytes).

    Raises:
        ModelError: the file cannot be downloaded, or has another hash; no partial file is left.
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
        published = (
            None if _offline() else hub.get_hf_file_metadata(hub.hf_hub_url(repo, name, revision=revision))
        )
        path = Path(
            hub.hf_hub_download(
                repo,
                name,
                revision=(published and published.commit_hash) or revision,
                tqdm_class=_reporting(progress or (lambda done, total: None)),
            )
        )
    except Exception as error:  # a broken network or a faulty server can make the client raise anything
        kind = AbsentFileError if isinstance(error, hub.errors.RemoteEntryNotFoundError) else ModelError
        raise kind(f"{where} cannot be downloaded: {_reason(error, repo)}") from None
    digest = sha256(path)
    if expected is not None and digest != expected:
        _forget(path)
        raise ModelError(
            f"{where} is not the expected file: its sha256 is {digest}, and should be {expected}"
        )
    if published is not None and not _as_published(path, digest, published):
        _forget(path)
        raise ModelError(f"{where} arrived damaged: the hub publishes the hash {published.etag}; try again")
    return Download(path, (published and published.commit_hash) or path.parents[name.count("/")].name, digest)


def _settle_environment() -> None:
    """Set what huggingface_hub does not find out: a cache folder, and the certificates that Requests would use.

    It would create a folder named "~" if the home folder is unknown.
    """
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


def _forget(path: Path) -> None:
    path.resolve().unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def _reason(error: Exception, repo: str) -> str:
    """Return one line with what went wrong and what to do."""
    from huggingface_hub import constants, errors

    endpoint = constants.ENDPOINT
    if (
        isinstance(error, errors.LocalEntryNotFoundError)
        and not _offline()
        and isinstance(error.__cause__, Exception)
    ):
        error = error.__cause__  # the reason why the client fell back to its cache
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
    if isinstance(error, OSError) and "Consistency check" in str(error):
        return "the connection was lost; run the same command again to resume"
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename} cannot be used: {error.strerror}; set HF_HOME to a writable folder"
    if isinstance(error, OSError) and error.errno:
        return f"{error.strerror}; try again later"
    if why := refusal(error):
        return f"the certificate of {endpoint} was refused ({why}); {ADVICE}"
    cause = error.__cause__ or error
    return (
        f"{endpoint} cannot be reached, or closed the connection ({type(cause).__name__});"
        " run the same command again to resume"
    )


def _reporting(progress: Progress) -> type[Any]:
    from tqdm.auto import tqdm

    class Reporting(tqdm):  # type: ignore[misc]
        """A progress bar for huggingface_hub that passes its numbers on and draws nothing."""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            self._done, self._of = int(options.get("initial") or 0), int(options.get("total") or 0)
            options.pop("name", None)
            super().__init__(*arguments, **{**options, "disable": True})

        def update(self, n: float | None = 1) -> bool | None:
            self._done += int(n or 0)
            progress(self._done, self._of)
            return None

    return Reporting
