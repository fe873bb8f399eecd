"""A site with picture search, exported once, and pictures of one's own."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from tests.conftest import shared
from tests.fakes.firefox import FIREFOX, FirefoxPage, firefox_page
from tests.fakes.firefox import HOW as HOW_FIREFOX
from tests.fakes.onnxruntime_web import ARCHIVE, HOW
from tests.fakes.static_host import StaticHost, static_host

from steamdino import Snapshot

POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self';"
    " connect-src 'self'; base-uri 'none'; form-action 'none'"
)
"""What a strict host sends: for workers, too, to which the policy in the page does not apply."""

Encoded = Callable[..., bytes]


@pytest.fixture(scope="session")
def archive() -> Path:
    if not ARCHIVE.is_file():
        pytest.skip(f"onnxruntime-web is missing; {HOW}")
    return ARCHIVE


@pytest.fixture(scope="session")
def site(built: Path, archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site of the whole fictional store. Do not write to it."""

    def make(folder: Path) -> None:
        command = [sys.executable, "-m", "steamdino", "export", "site", "--picture-search"]
        command += ["--onnxruntime-web", str(archive), "-o", str(folder / "site"), "-g", str(built)]
        environ = {**os.environ, "STEAMDINO_CACHE": str(folder / "cache")}
        subprocess.run(command, env=environ, capture_output=True, timeout=120, check=True)

    return shared(tmp_path_factory, "picture-search", make) / "site"


@pytest.fixture
def host(site: Path) -> Iterator[StaticHost]:
    """The site on a strict host, below a path."""
    with static_host(site, "/some/path/", POLICY) as running:
        yield running


@pytest.fixture(scope="session")
def snapshot(built: Path) -> Snapshot:
    return Snapshot.open(built)


@pytest.fixture(scope="session")
def picture(snapshot: Snapshot) -> Image.Image:
    """A picture that no game has."""
    banner = snapshot.game("neonoir").picture
    assert banner is not None
    with Image.open(banner) as image:
        return image.convert("RGB").crop((20, 30, 280, 420))


@pytest.fixture(scope="session")
def draft(picture: Image.Image, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a file."""
    path = tmp_path_factory.mktemp("drafts") / "draft.png"
    picture.save(path)
    return path


@pytest.fixture(scope="module")
def firefox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FirefoxPage]:
    if FIREFOX is None:
        pytest.skip(HOW_FIREFOX)
    with firefox_page(tmp_path_factory.mktemp("firefox")) as page:
        yield page


@pytest.fixture(scope="session")
def encoded() -> Encoded:
    """Encodes a picture in a format."""

    def encoded(image: Image.Image, form: str, **options: object) -> bytes:
        file = io.BytesIO()
        image.save(file, form, **options)
        return file.getvalue()

    return encoded
