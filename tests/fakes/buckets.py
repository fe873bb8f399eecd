"""A bucket for each test on the S3 server that all tests share; a conftest.py imports the fixtures."""

from __future__ import annotations

import io
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image
from tests.fakes.object_storage import ObjectStorage

SECRET = "a-secret-key"  # noqa: S105 (of nobody)


@pytest.fixture
def storage(object_storage: ObjectStorage, bucket: str) -> ObjectStorage:
    """The server, with a bucket of the test's own."""
    return object_storage


@pytest.fixture
def address(bucket: str) -> str:
    """The address of that bucket."""
    return bucket


def bucket_name(request: pytest.FixtureRequest) -> str:
    """A name that no other test's bucket has."""
    return f"b{abs(hash(request.node.nodeid)):x}"


def banner(number: int) -> bytes:
    coarse = np.random.default_rng(number).integers(0, 256, (6, 4, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(coarse).resize((60, 90)).save(file, "PNG")
    return file.getvalue()


def put(storage: ObjectStorage, address: str, key: str, data: bytes) -> None:
    storage.put(address.removeprefix("s3://"), quote(key, safe="/"), data)
