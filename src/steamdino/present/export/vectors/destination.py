"""Where an export of vectors goes: a folder, or a prefix in object storage. It replaces nothing but older exports.

::

    <folder>/
      _export.json   what the vectors are, and the names and bytes of the files
      ...            the files

Readers of whole folders, such as pyarrow and Spark, ignore names with an underscore.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from steamdino.errors import OutputError, UsageError
from steamdino.storage import folder_upload
from steamdino.storage.location import is_address
from steamdino.storage.output import is_stdout, writing_folder

RECORD = "_export.json"
KIND = "vectors"
"""What a record says of an export."""


def check(output: str) -> None:
    """Check in advance whether an export may be written.

    Args:
        output: a folder's path, or an address such as ``s3://bucket/games``.

    Raises:
        UsageError: it is not a folder, or holds something else than an export of vectors.
        MissingExtraError, SourceError, NetworkError: as for `folder_upload.check`.
    """
    if is_address(output):
        folder_upload.check(output, RECORD)
        return
    folder = Path(output)
    if is_stdout(folder):
        raise UsageError(f"-o is {output}, and standard output takes one file only; name a folder")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is not a folder; name a new folder")
    if folder.exists() and any(folder.iterdir()) and not _is_export(folder):
        raise UsageError(f"{folder} holds other files than an export of vectors; name a new folder")


def write(output: str, facts: Mapping[str, Any], fill: Callable[[Path], None]) -> None:
    """Write an export. A folder appears with all files or not at all; for a prefix see `folder_upload`.

    Args:
        output: as in `check`.
        facts: what the record says of the vectors.
        fill: writes the files into an empty folder.

    Raises:
        OutputError: it cannot be written.
        UsageError, NetworkError: as for `check`.
    """
    if not is_address(output):
        with writing_folder(Path(output)) as folder:
            fill(folder)
            _record(folder, facts)
        return
    try:
        with TemporaryDirectory() as temporary:
            folder = Path(temporary)
            fill(folder)
            _record(folder, facts)
            folder_upload.upload(folder, output, RECORD)
    except OSError as error:
        raise OutputError(
            f"the temporary files for {output} cannot be written: {error.strerror or error};"
            " name a folder with more space in TMPDIR"
        ) from None


def _record(folder: Path, facts: Mapping[str, Any]) -> None:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files = {path.relative_to(folder).as_posix(): path.stat().st_size for path in paths}
    record = {"export": KIND, **facts, "files": files}
    (folder / RECORD).write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _is_export(folder: Path) -> bool:
    try:
        return bool(json.loads((folder / RECORD).read_text("utf-8"))["export"] == KIND)
    except (OSError, ValueError, KeyError, TypeError):
        return False
