"""Writes what searching by one's own picture needs into the folder of a site.

::

    worker.<digest>.js               finds matches, beside the page
    sw.js                            keeps the site for use without a connection
    data/search/
      search.<digest>.json           which files there are, their sizes, and the numbers that the scripts need
      runtime.<digest>.js, program.<digest>.bin
                                     onnxruntime-web
      network.<digest>.bin, whitening.<digest>.bin
                                     from a picture to a vector
      games.<digest>.bin             ids, names and pictures of all games, and the games of each tag
      vectors/<n>.<digest>.bin       see `coded_vectors`
      rest.<digest>/<n>/<m>.bin      the same; a search reads those of its candidates
      licences.txt                   of what others wrote

Files that end in ``.bin`` are compressed here and unpacked by the scripts, so they are small whatever the host does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steamdino.analysis.progress_stages import Stage
from steamdino.present.content_names import by_content
from steamdino.present.export.name_pages import FOLDER
from steamdino.present.export.picture_search import coded_vectors as coded
from steamdino.present.export.picture_search.network_files import network_files
from steamdino.present.export.picture_search.runtime_files import PROGRAM, SCRIPT, VERSION
from steamdino.present.export.picture_search.standings import Standings, similarity_facts
from steamdino.search import Snapshot

HOME = Path("data") / "search"
WORKER = ("decoding.js", "resize.js", "network.js", "vectors.js", "worker.js")
SERVICE = "sw.js"
PAGE_SCRIPTS = tuple(f"picture_search/{name}.js" for name in ("decoding", "words", "offline", "picture"))
"""Beside this folder, as `html_page` finds scripts."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The games of a site, in its order.

    Attributes:
        rows: their rows in the snapshot, rising.
        ids, names: of each.
        pictures: the place of each one's picture in the site; empty if it has none.
    """

    rows: NDArray[np.intp]
    ids: Sequence[str]
    names: Sequence[str]
    pictures: Sequence[str]


@dataclass(frozen=True, slots=True)
class Written:
    """What was written.

    Attributes:
        manifest: place of the file that names all others.
        parts: places of the files whose names have a digest, besides those of `rest`.
    """

    manifest: str
    parts: tuple[str, ...]


def write_search(work: Path, snapshot: Snapshot, shown: Shown, runtime: Path, stage: Stage) -> Written:
    """Write all files but the page's own.

    Args:
        work: the site's folder.
        snapshot: of the games.
        shown: the site's games.
        runtime: the folder of `runtime_files`.
        stage: shows what is done.

    Raises:
        UsageError: browsers cannot compute this recipe.
        ModelError: a file of the model is missing or altered.
    """
    files = _Files(work)
    made = network_files(snapshot)
    facts: dict[str, Any] = {
        "runtime": files.add("runtime.js", (runtime / SCRIPT).read_bytes()),
        "wasm": files.add("program.bin", coded.packed((runtime / PROGRAM).read_bytes())),
        "network": files.add("network.bin", made.network),
        "whitening": files.add("whitening.bin", made.whitening),
        **made.facts,
        "rows": len(shown.rows),
        **_vectors(files, snapshot, shown.rows, stage),
        "similarity": similarity_facts(snapshot),
    }
    facts["games"] = files.add("games.bin", _games(snapshot, shown, facts, stage))
    text = json.dumps(facts, ensure_ascii=False, separators=(",", ":"))
    manifest = files.add("search.json", text.encode())["path"]
    files.write("licences.txt", _licences().encode())
    return Written(manifest, tuple(files.places))


class _Files:
    """Writes files below `HOME`."""

    def __init__(self, work: Path) -> None:
        self._work = work
        self.places: list[str] = []

    def add(self, name: str, data: bytes) -> dict[str, Any]:
        """Write a file under a name with its digest; return its place and its size."""
        place = self.write(by_content(name, data), data)
        self.places.append(place)
        return {"path": place, "bytes": len(data)}

    def write(self, name: str, data: bytes) -> str:
        path = self._work / HOME / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return (HOME / name).as_posix()


def _vectors(files: _Files, snapshot: Snapshot, rows: NDArray[np.intp], stage: Stage) -> dict[str, Any]:
    vectors = snapshot.vectors
    step = coded.step_of(vectors.shape[1])
    shards = []
    digest = hashlib.sha256(f"{coded.PARTS} ".encode())  # another number of parts gives other files
    with stage("Writing", "vectors") as progress:
        for start in range(0, len(rows), coded.ROWS):
            some = np.asarray(vectors[rows[start : start + coded.ROWS]], np.float32)
            data = coded.shard(some, step)
            shards.append({**files.add(f"vectors/{start // coded.ROWS}.bin", data), "rows": len(some)})
            digest.update(some.tobytes())
            progress(start + len(some), len(rows))
        folder = f"rest.{digest.hexdigest()[:12]}"
        for start in range(0, len(rows), coded.REST_ROWS):
            some = np.asarray(vectors[rows[start : start + coded.REST_ROWS]], np.float32)
            number = start // coded.REST_ROWS
            files.write(f"{folder}/{number // FOLDER}/{number}.bin", coded.rest(some, step))
    return {
        "vectors": shards,
        "step": step,
        "rest": {
            "path": f"{HOME.as_posix()}/{folder}/{{folder}}/{{number}}.bin",
            "folder": FOLDER,
            "rows": coded.REST_ROWS,
            "parts": coded.PARTS,
        },
    }


def _games(snapshot: Snapshot, shown: Shown, facts: dict[str, Any], stage: Stage) -> bytes:
    standings = Standings(snapshot, shown.rows)
    names = standings.tags()
    tags = []
    with stage("Comparing", "tags") as progress:
        for number, tag in enumerate(names, 1):
            tags.append(standings.of(tag))
            progress(number, len(names))
    content = {
        "ids": shown.ids,
        "names": shown.names,
        "pictures": [Path(place).stem for place in shown.pictures],
        "all": standings.everything(),
        "tags": tags,
    }
    return coded.packed(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode())


def worker_script() -> str:
    """Return the script that searches."""
    return "\n".join(_source(name) for name in WORKER)


def version_of(search: Written, names: Sequence[str]) -> str:
    """Return a text that changes whenever a file does that a browser keeps.

    Args:
        search: what was written.
        names: of the page's files, with their digests.
    """
    return hashlib.sha256("\n".join([*search.parts, *names]).encode()).hexdigest()[:12]


def service_script(search: Written, version: str, shell: Sequence[str]) -> str:
    """Return the script that keeps the site for use without a connection.

    Args:
        search: what was written.
        version: see `version_of`.
        shell: what the first page consists of.
    """
    facts = {"version": version, "shell": list(shell), "parts": list(search.parts)}
    return f"const SITE = {json.dumps(facts)};\n{_source(SERVICE)}"


def _source(name: str) -> str:
    return (resources.files(__package__) / name).read_text("utf-8")


def _licences() -> str:
    """The licences of the files that others wrote."""
    notice = (resources.files("steamdino.features") / "weights" / "NOTICE").read_text("utf-8")
    runtime = _source("onnxruntime-licence.txt")
    return (
        f"runtime.*.js and program.*.bin: onnxruntime-web {VERSION}\n\n{runtime}\n"
        f"network.*.bin and whitening.*.bin\n\n{notice}"
    )
