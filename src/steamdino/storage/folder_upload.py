"""Replaces the files below a prefix in object storage by those of a folder.

::

    <prefix>/
      <record>      JSON with the names of all files; written before them
      ...           the files
      _SUCCESS      empty; written last, and removed before anything else changes

A bucket cannot replace several objects at once. Readers that must not see half of the files wait for ``_SUCCESS``. An
upload that stops leaves the record, by which the next one knows what it may remove.
"""

from __future__ import annotations

import json
from pathlib import Path

from steamdino.errors import UsageError
from steamdino.storage import object_files
from steamdino.storage.object_client import split

SUCCESS = "_SUCCESS"


def check(address: str, record: str) -> list[str]:
    """Return the names of what an upload replaces.

    Args:
        address: of the prefix.
        record: the name of the record.

    Raises:
        UsageError: there are other objects below the prefix.
        MissingExtraError, SourceError: as for `object_client.client`.
        NetworkError: the store refuses or does not answer.
    """
    there = {name for name, _ in object_files.sizes(address)}
    own = {record, SUCCESS, *_files(object_files.read(_under(address, record)))} if record in there else set()
    if others := sorted(there - own):
        raise UsageError(
            f"{address} holds other objects than an upload of this program, such as {others[0]};"
            " remove them, or name another prefix"
        )
    return sorted(there)


def upload(folder: Path, address: str, record: str) -> None:
    """Upload the files of a folder.

    Args:
        folder: holds the record and the files that it names.
        address: of the prefix.
        record: the name of the record, whose "files" has their names as its keys.

    Raises:
        UsageError, MissingExtraError, SourceError, NetworkError: as for `check`.
    """
    old = check(address, record)
    object_files.remove(_under(address), [name for name in old if name == SUCCESS])
    object_files.remove(_under(address), [name for name in old if name not in (SUCCESS, record)])
    for name in [record, *_files((folder / record).read_bytes())]:
        with (folder / name).open("rb") as file:
            object_files.write(_under(address, name), file)
    object_files.write(_under(address, SUCCESS), b"")


def _under(address: str, *names: str) -> str:
    """Return the address of a name below a prefix, which may end in a slash; without a name, the prefix's."""
    root, key = split(address)
    return "/".join([root, *filter(None, [key.strip("/"), *names])])


def _files(record: bytes | None) -> list[str]:
    """Return the names in a record; none if it is no record."""
    try:
        return [str(name) for name in json.loads(record or b"")["files"]]
    except (ValueError, KeyError, TypeError):
        return []
