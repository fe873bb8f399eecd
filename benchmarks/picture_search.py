"""Measure a site that searches by pictures: bytes, times in Chromium, recall and parity with the command line.

Run it with a folder of banners: ``python benchmarks/picture_search.py COVERS [--games 30000] [--folder DIR]``. The
gallery has the banners that are not queries, and as many parts of them as are needed for so many games; its vectors are
kept in the folder for the next run. Queries are banners that no game of the gallery has, as JPEG, PNG and WebP.

Chromium runs on this machine, with the host beside it, so times do not include a network. "Cold" is a new browser that
takes all files from the host's disk; "warm" is the next picture.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import sync_playwright

from steamdino import Snapshot
from steamdino.banners.decode import decode
from steamdino.features.encoder import Encoder
from steamdino.features.recipe_parser import named
from steamdino.features.transform import prepare
from steamdino.gallery.vectors import Row
from steamdino.index.snapshot_writer import write

PARTS = ((0, 0, 1, 1), (0, 0, 1, 0.5), (0, 0.5, 1, 1), (1 / 6, 1 / 6, 5 / 6, 5 / 6))
"""Left, top, right and bottom of the parts of a banner that are games of the gallery, as fractions."""

MATCHES, CANDIDATES = 24, 48
TIMED = 10

FIND = """async ([bytes, type, count, candidates]) => {
  const facts = document.documentElement.dataset;
  if (!globalThis.worker) {
    const parts = await (await fetch(facts.search)).json();
    globalThis.worker = new Worker(facts.worker, { type: "module" });
    await new Promise((ready, failed) => {
      worker.onmessage = ({ data }) => (data.ready ? ready() : data.failed && failed(new Error(data.failed)));
      worker.postMessage({ load: { parts: { ...parts, base: new URL("./", location.href).href }, cache: null } });
    });
  }
  const file = new File([Uint8Array.from(atob(bytes), (one) => one.charCodeAt(0))], "query", { type });
  return new Promise((found, failed) => {
    worker.onmessage = ({ data }) => (data.found
      ? found({ vector: [...data.found.vector], ids: data.found.matches.map(({ id }) => id) })
      : failed(new Error(data.failed)));
    worker.postMessage({ find: { file, crop: null, mirror: false, tag: null, count, candidates } });
  });
}"""


class Quiet(SimpleHTTPRequestHandler):
    """A plain host of files."""

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def main() -> None:
    """Make the gallery and the site if they are missing, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("covers", type=Path)
    parser.add_argument("--games", type=int, default=30_000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "picture-search")
    parser.add_argument("--onnxruntime-web", type=Path)
    parser.add_argument("--again", action="store_true", help="measure the site of the last run")
    given = parser.parse_args()
    paths = sorted(given.covers.glob("*.jpg"))
    queries, rest = paths[: given.queries], paths[given.queries :]
    if len(rest) * len(PARTS) < given.games:
        parser.error(f"{len(paths):,} banners are too few for {given.games:,} games")
    given.folder.mkdir(parents=True, exist_ok=True)
    gallery = _gallery(given.folder, rest, given.games)
    site = given.folder / f"site-{given.games}"
    command = [sys.executable, "-m", "steamdino", "export", "site", "--picture-search"]
    archive = given.onnxruntime_web
    command += [
        "-g",
        str(gallery),
        "-o",
        str(site),
        *(["--onnxruntime-web", str(archive)] if archive else []),
    ]
    if not given.again:
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        print(f"export: {time.perf_counter() - start:.1f} s\n")
    _print_bytes(site)
    for port in _served(site):
        _measure(f"http://127.0.0.1:{port}/", Snapshot.open(gallery), queries)


def _gallery(folder: Path, paths: list[Path], games: int) -> Path:
    gallery = folder / f"gallery-{games}"
    if (gallery / "snapshots").is_dir():
        return gallery
    recipe = named("bundled")
    vectors = _vectors(folder / f"vectors-{games}.npy", paths, games)
    rows = [Row(str(n), f"Game {n}", "made", "", "", f"{n:064x}", "{}") for n in range(games)]
    write(gallery / "snapshots" / "made", recipe, 1, rows, [], vectors, {})
    return gallery


def _vectors(kept: Path, paths: list[Path], games: int) -> NDArray[np.float32]:
    if kept.is_file():
        found: NDArray[np.float32] = np.load(kept)
        return found
    recipe = named("bundled")
    encoder = Encoder(recipe, streams=os.cpu_count() or 1)

    def encode(path: Path) -> NDArray[np.float32]:
        image = decode(path.read_bytes())
        sides = (image.width, image.height) * 2
        boxes = [tuple(round(part * side) for part, side in zip(box, sides, strict=True)) for box in PARTS]
        return encoder([prepare(image.crop(box), recipe.transform) for box in boxes])  # type: ignore[arg-type]

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        made = np.concatenate(list(threads.map(encode, paths[: -(-games // len(PARTS))])))[:games]
    np.save(kept, made)
    return made


def _print_bytes(site: Path) -> None:
    (manifest,) = (site / "data" / "search").glob("search.*.json")
    facts = json.loads(manifest.read_text("utf-8"))
    program = sum(facts[name]["bytes"] for name in ("runtime", "wasm", "network", "whitening"))
    vectors = sum(one["bytes"] for one in facts["vectors"])
    rest = sum(path.stat().st_size for path in (site / "data" / "search").glob("rest.*/*/*.bin"))
    lines = [
        ("onnxruntime-web", facts["runtime"]["bytes"] + facts["wasm"]["bytes"]),
        ("network and whitening", facts["network"]["bytes"] + facts["whitening"]["bytes"]),
        ("code and network together", program),
        (f"vectors of {facts['rows']:,} games", vectors),
        ("names, ids, pictures, tags", facts["games"]["bytes"]),
        (
            f"for each search, at most ({CANDIDATES} files)",
            CANDIDATES * facts["rest"]["rows"] * facts["projected"],
        ),
        ("all of these files, never loaded together", rest),
    ]
    print("| loaded | MB |\n|---|---|")
    for label, size in lines:
        print(f"| {label} | {size / 1e6:.2f} |")


def _served(site: Path) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()


def _measure(address: str, snapshot: Snapshot, queries: list[Path]) -> None:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as work:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        cold, warm = [], []
        for _ in range(3):
            context = browser.new_context()
            page = context.new_page()
            page.goto(f"{address}#/picture")
            page.locator("#file").set_input_files(queries[0])
            page.get_by_role("button", name="Load and search").wait_for()
            start = time.perf_counter()
            page.get_by_role("button", name="Load and search").click()
            page.locator("#answers .grid .tile").first.wait_for()
            cold.append(time.perf_counter() - start)
            for query in queries[1 : TIMED + 1]:
                page.evaluate("location.hash = '#/picture'")
                page.locator("#file").wait_for()
                start = time.perf_counter()
                page.locator("#file").set_input_files(query)
                page.locator("#answers .grid .tile").first.wait_for()
                warm.append(time.perf_counter() - start)
            context.close()
        for label, times in (("cold, from the click", cold), ("warm, from the file", warm)):
            middle, least = statistics.median(times), min(times)
            print(f"\n{label} to the matches: {middle:.2f} s (median of {len(times)}; least {least:.2f} s)")
        page = browser.new_page()
        page.goto(address)
        print(
            "\n| format | least cosine | same first match | less similar by | recall@10 |\n|---|---|---|---|---|"
        )
        for form in ("JPEG", "PNG", "WEBP"):
            print(f"| {form} | " + " | ".join(_parity(page, snapshot, queries, form, Path(work))) + " |")
        browser.close()


def _parity(page: Any, snapshot: Snapshot, queries: list[Path], form: str, work: Path) -> list[str]:
    cosines, gaps, recalls, same = [], [], [], 0
    for query in queries:
        data = query.read_bytes()
        if form != "JPEG":
            file = io.BytesIO()
            decode(data).save(file, form)
            data = file.getvalue()
        path = work / "query"
        path.write_bytes(data)
        kind = f"image/{form.lower()}"
        found = page.evaluate(FIND, [base64.b64encode(data).decode(), kind, MATCHES, CANDIDATES])
        expected = snapshot.similar(path, 10)
        query_vector = snapshot.encode(path)
        cosines.append(float(np.array(found["vector"]) @ query_vector.vector))
        same += found["ids"][0] == expected.ids[0]
        gaps.append(expected[0].similarity - snapshot.similarity(query_vector, found["ids"][0]))
        recalls.append(len(set(found["ids"][:10]) & set(expected.ids)) / 10)
    return [
        f"{min(cosines):.6f}",
        f"{same} of {len(queries)}",
        f"{max(gaps):.1e}",
        f"{statistics.mean(recalls):.4f}",
    ]


if __name__ == "__main__":
    main()
