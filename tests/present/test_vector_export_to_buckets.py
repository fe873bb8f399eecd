"""`export parquet --vectors` and `export lance` to object storage, read from there by other programs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lance
import numpy as np
import pyarrow.dataset
import pytest
from pyarrow import fs
from tests.fakes.object_storage import ObjectStorage

from steamdino import Snapshot


@pytest.fixture
def name(bucket: str) -> str:
    return bucket.removeprefix("s3://")


@pytest.mark.slow
def test_an_export_to_a_bucket_is_what_other_programs_read_from_there(
    object_storage: ObjectStorage, bucket: str, name: str, built: Path, run: Callable[..., Any]
) -> None:
    snapshot = Snapshot.open(built)
    host = object_storage.url.removeprefix("http://")
    keys = {
        "access_key": "a-key-id",
        "secret_key": "a-secret-key",
        "endpoint_override": host,
        "scheme": "http",
    }
    for size in (40, 300):
        command = ("export", "parquet", "--vectors", "-g", built, "-o", f"{bucket}/games/")
        done = run(*command, "--games-per-file", str(size))
        files = -(-len(snapshot) // size)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"{bucket}/games/: {len(snapshot)} games in {files} files\n"
        keys_there = [key for key in object_storage.content(name) if key.endswith(".parquet")]
        assert keys_there == [f"games/part-{number:05}.parquet" for number in range(files)]
        found = pyarrow.dataset.dataset(f"{name}/games", filesystem=fs.S3FileSystem(**keys)).to_table()
        assert found["id"].to_pylist() == snapshot.ids
    done = run("export", "lance", "-g", built, "-o", f"{bucket}/db/games.lance")
    assert (done.returncode, done.stderr) == (0, "")
    options = {"allow_http": "true", "aws_endpoint": object_storage.url, **object_storage.environment()}
    table = lance.dataset(f"{bucket}/db/games.lance", storage_options=options).to_table()
    assert table.equals(found.replace_schema_metadata(table.schema.metadata))
    vectors = np.asarray(table["vector"].combine_chunks().values).reshape(snapshot.vectors.shape)
    assert np.array_equal(vectors, snapshot.vectors)
    object_storage.put(name, "db/games.lance/data/mine.lance", b"-")
    for arguments, code, told in (
        (
            ("lance", "-o", f"{bucket}/db/games.lance"),
            2,
            "holds other objects than an upload of this program, such as data/mine.lance;",
        ),
        (("lance", "-o", "s3://there-is-no-such-bucket/games"), 1, "cannot be listed: it does not exist"),
        (("parquet", "--vectors", "-o", "s3://"), 1, "s3:// cannot be opened"),
    ):
        failed = run("export", *arguments, "-g", built)
        assert (failed.returncode, told in failed.stderr) == (code, True), failed.stderr
        assert failed.stderr.count("\n") == 1
        assert "a-secret-key" not in failed.stderr


def test_without_room_for_temporary_files_the_prefix_stays_as_it_was(
    object_storage: ObjectStorage, bucket: str, name: str, built: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    code = "import sys, tempfile; tempfile.tempdir = sys.argv.pop(1); from steamdino.present.cli.main import run; run()"
    command = ["export", "lance", "-g", built, "-o", f"{bucket}/games"]
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "file", *command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == (
        f"steam-dino: the temporary files for {bucket}/games cannot be written: Not a directory;"
        " name a folder with more space in TMPDIR\n"
    )
    assert object_storage.content(name) == {}
