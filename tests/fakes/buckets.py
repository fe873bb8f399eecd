"""A bucket for each test on an S3 server that a module's tests share; a conftest.py imports the fixtures."""

from __future__ import annotations

import io
from collections.abc import Iterator
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image
from tests.fakes.object_storage import ObjectStorage, serving

from steamdino.storage import object_client

SECRET = "a-secret-key"  # noqa: S105 (of nobody)


@pytest.fixture(scope="module")
def server() -> Iterator[ObjectStorage]:
    pytest.importorskip("obstore", reason="needs the extra objects")
    pytest.importorskip("moto", reason="needs moto")
    with serving() as started:
        yield started


@pytest.fixture
def storage(
    server: ObjectStorage, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> ObjectStorage:
    """The server with a bucket of the test's own name."""
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    object_client.client.cache_clear()
    server.bucket(bucket(request))
    return server


@pytest.fixture
def address(request: pytest.FixtureRequest) -> str:
    return f"s3://{bucket(request)}"


def bucket(request: pytest.FixtureRequest) -> str:
    return f"b{abs(hash(request.node.nodeid)):x}"


def banner(number: int) -> bytes:
    coarse = np.random.default_rng(number).integers(0, 256, (6, 4, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(coarse).resize((60, 90)).save(file, "PNG")
    return file.getvalue()


def put(storage: ObjectStorage, address: str, key: str, data: bytes) -> None:
    storage.put(address.removeprefix("s3://"), quote(key, safe="/"), data)
