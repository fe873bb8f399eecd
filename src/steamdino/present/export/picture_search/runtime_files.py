"""onnxruntime-web, which runs the network in browsers: downloaded once from the npm registry, then kept.

It is not part of the package, because most installations never export such a site and it would add 4 MB to each of
them. The archive is the one that npm would install. It is checked against a SHA-512 in this file, so neither the
registry nor the network between can change what visitors run.
"""

from __future__ import annotations

import base64
import hashlib
import io
import shutil
import tarfile
from pathlib import Path
from urllib.parse import urlsplit

from steamdino.errors import SteamDinoError, UsageError
from steamdino.features.model_files import sha256
from steamdino.net.client import Client, ClientPolicy, Reply, TransientError
from steamdino.storage.atomic import new_folder, replace_folder
from steamdino.storage.cache import ADVICE, cache_folder

VERSION = "1.30.0"
ADDRESS = f"https://registry.npmjs.org/onnxruntime-web/-/onnxruntime-web-{VERSION}.tgz"
SHA512 = "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
"""Of the archive, in base64, as in npm's lock files."""

SCRIPT, PROGRAM = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"
"""The smallest builds: WebAssembly alone. Those with WebGPU are twice as large for everybody."""

FILES = {
    SCRIPT: "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
    PROGRAM: "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
}
"""The SHA-256 of the files that a site needs."""

LARGEST = 64 << 20
"""Bytes of the archive at most; it has 33 million."""

TIMEOUT = 600.0
TRIES = 3
HOW = f"npm pack onnxruntime-web@{VERSION}"


def runtime_folder(archive: Path | None = None) -> Path:
    """Return the folder that holds `FILES`, after filling it if they are missing.

    Args:
        archive: the archive of the npm package, as `HOW` writes it; None to download it if it is needed.

    Raises:
        UsageError: the archive is another one.
        NetworkError: it cannot be downloaded.
        SteamDinoError: there is no folder to keep it in, or it cannot be written.
    """
    cache = cache_folder()
    if cache is None:
        raise SteamDinoError(f"there is no folder to keep onnxruntime-web in; {ADVICE}")
    folder = cache / "onnxruntime-web" / VERSION
    if _is_whole(folder):
        return folder
    try:
        content = _downloaded() if archive is None else _given(archive)
        _unpack(content, folder)
    except OSError as error:
        raise SteamDinoError(
            f"{error.filename or folder} cannot be written: {error.strerror or error}; {ADVICE}"
        ) from None
    return folder


def is_kept() -> bool:
    """Return whether the files are on this machine, so that nothing needs to be downloaded."""
    cache = cache_folder()
    return cache is not None and _is_whole(cache / "onnxruntime-web" / VERSION)


def _is_whole(folder: Path) -> bool:
    try:
        return all(sha256(folder / name) == expected for name, expected in FILES.items())
    except OSError:
        return False


def _given(archive: Path) -> bytes:
    try:
        content = archive.read_bytes()
    except OSError as error:
        raise UsageError(f"{archive} cannot be read: {error.strerror}; write it with: {HOW}") from None
    if not _is_expected(content):
        raise UsageError(f"{archive} is not the archive of onnxruntime-web {VERSION}; write it with: {HOW}")
    return content


def _downloaded() -> bytes:
    from steamdino.version import __version__

    policy = ClientPolicy(0, 1, 2.0, TRIES, TIMEOUT, f"steam-dino/{__version__}")
    with Client((urlsplit(ADDRESS).netloc,), policy) as client:
        return client.get(ADDRESS, largest=LARGEST, read=_checked)


def _checked(reply: Reply) -> bytes:
    if reply.status != 200 or not _is_expected(reply.body):
        told = (
            f"answered {reply.status}" if reply.status != 200 else "sent another file than the expected one"
        )
        raise TransientError(
            f"{urlsplit(ADDRESS).netloc} {told}; elsewhere run {HOW}, and name the file with --onnxruntime-web"
        )
    return reply.body


def _is_expected(content: bytes) -> bool:
    return base64.b64encode(hashlib.sha512(content).digest()).decode() == SHA512


def _unpack(content: bytes, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = new_folder(folder.parent)
    try:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            for name in FILES:
                source = archive.extractfile(f"package/dist/{name}")
                if source is None:
                    raise OSError(f"the archive has no {name}")
                with (made / name).open("wb") as target:
                    shutil.copyfileobj(source, target)
        replace_folder(made, folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
