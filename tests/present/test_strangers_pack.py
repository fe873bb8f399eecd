"""A valid pack is changed in every way that a stranger could think of; then it is opened, searched, served, exported.

Each time it is refused in one line that names the file, or nothing happens that should not: no file outside the
temporary folder and the output is opened, listed, written, renamed or removed, no connection is made, no program
started, and a secret that lies beside is in nothing that comes out. What the process does is heard from Python's own
audit events.

``pytest -s`` prints how many mutants there were; ``pytest -m soak`` runs many more.
"""

from __future__ import annotations

import asyncio
import copy
import gc
import io
import json
import os
import re
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2 as httpx
import numpy as np
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.fakes import packs

from steamdino import Snapshot
from steamdino.analysis.neighbourhood import Neighbourhood
from steamdino.analysis.unique import diverse, unique
from steamdino.errors import SnapshotError, SteamDinoError
from steamdino.present.export import (
    banner_urls,
    legacy_export,
    map_writer,
    markup,
    match_records,
    mosaic,
    sheet,
    site,
    unique_report,
)
from steamdino.present.export.answer import Answer, answers_of
from steamdino.present.export.writers.writer import Context
from steamdino.present.export.writers.writer_registry import WRITERS
from steamdino.present.web.app import create_app
from steamdino.present.web.snapshot_registry import SnapshotRegistry
from steamdino.records import Filter
from steamdino.settings import Settings, WebSettings

SECRET = "THE-SECRET-7f3a"  # noqa: S105
PACKAGE = Path(sys.modules["steamdino"].__file__ or "").parent
MUTANTS, MANY = 40, 5000


# What the process does


class Watch:
    """Keeps the audit events that concern files, connections and programs, while it is on."""

    WATCHED = re.compile(
        r"open|os\.(listdir|scandir|mkdir|rename|remove|rmdir|link|symlink|truncate|chmod|chown|system|exec|fork"
        r"|posix_spawn|startfile|utime)|shutil\..*|socket\.(connect|bind|sendto|getaddrinfo)|sqlite3\.connect"
        r"|subprocess\.Popen|ftplib.*|urllib.*|webbrowser.*|glob\.glob"
    )

    def __init__(self) -> None:
        self.on = False
        self.heard: list[tuple[str, tuple[Any, ...]]] = []
        sys.addaudithook(self._hear)  # stays for the life of the process

    def _hear(self, name: str, arguments: tuple[Any, ...]) -> None:
        if self.on and self.WATCHED.fullmatch(name):
            if name in ("os.remove", "os.rmdir", "os.mkdir") and arguments[-1] != -1:
                with suppress(OSError):  # relative to an open folder, as shutil.rmtree removes
                    folder = Path(f"/proc/self/fd/{arguments[-1]}").readlink()
                    arguments = (folder / os.fsdecode(arguments[0]), *arguments[1:])
            self.heard.append((name, arguments))

    @contextmanager
    def __call__(self) -> Iterator[None]:
        self.heard.clear()
        self.on = True
        try:
            yield
        finally:
            self.on = False

    def strayed(self, allowed: list[Path]) -> list[str]:
        """What was touched outside the allowed folders; Python and its packages may be read."""
        library = [
            Path(p).resolve() for p in {sys.prefix, sys.base_prefix, *sys.path} if p and Path(p).is_dir()
        ]
        found = []
        for name, arguments in self.heard:
            places = [
                a for a in arguments[: 1 + (name != "open")] if isinstance(a, str | bytes | os.PathLike)
            ]
            if name == "open":
                mode, flags = arguments[1], arguments[2]
                reads = (mode is None or not set(mode) & set("wax+")) and not flags & (
                    os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
                )
            else:
                reads = name in ("os.listdir", "os.scandir", "glob.glob")
            if name.startswith(("socket.", "subprocess.")) or name in ("os.system", "os.exec", "os.fork"):
                found.append(f"{name} {arguments!r}")
                continue
            for place in places:
                path = Path(os.path.normpath(Path(_path_of(os.fsdecode(place))).absolute()))
                inside = any(path.is_relative_to(folder) for folder in allowed)
                if not (inside or (reads and _harmless(path, library))):
                    found.append(f"{name} {path}")
        return found


def _path_of(text: str) -> str:
    return re.sub(r"^file://([^?]*).*", r"\1", text)


def _harmless(path: Path, library: list[Path]) -> bool:
    return (
        any(path.is_relative_to(folder) for folder in library)
        or path.is_relative_to(PACKAGE)
        or str(path) in ("/dev/null", "/dev/urandom")
        or path.is_relative_to("/proc/self")
        or path.is_relative_to("/usr/share/zoneinfo")
    )


@pytest.fixture(scope="session")
def watch() -> Watch:
    return Watch()


# What a stranger could write

PLACE: dict[str, str] = {}
"""Where the secret lies; filled in by the test, since strategies know no fixtures."""

TEXTS = st.sampled_from(
    [
        "",
        " ",
        "x",
        "{secret}",
        "{picture}",
        "../../../../{secret}",
        "../" * 12 + "etc/passwd",
        "../" * 7 + "secret",
        "../" * 21 + "x",
        "file://{secret}",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://",
        "https://127.0.0.1/x",
        "https://host/{secret}",
        "https://a.example/x\"onload='y",
        "http://a.example/",
        "C:\\Users\\x\\secret.txt",
        "\\\\server\\share\\x",
        "a\nb",
        "a\0b",
        "a\x1b[31mb",
        "a\u202eb",
        "a\u2028b",
        "\ud800",
        "0" * 64,
        "A" * 64,
        "a" * 5000,
        "{}",
        "[]",
        '{"reviews": 1e999}',
        '{"reviews": NaN}',
        '{"reviews": ' + "9" * 5000 + "}",
        '{"a": 1, "a": 2}',
        '{"a": "\\ud800"}',
        '{"a": "\\u0000"}',
        '{"a": ' + "[" * 40 + "]" * 40 + "}",
        '{"a": ' + "[" * 5000 + "]" * 5000 + "}",
        "2020-02-30T00:00:00+00:00",
        "9999-12-31T23:59:59+00:00",
    ]
)
VALUES = st.one_of(
    TEXTS,
    st.sampled_from(
        [None, True, False, 0, 1, -1, 2, 5, 6, 16, 17, 4096, 2**31, 2**63, 10**40, 0.5, -0.0, 1e308, 1e-300]
    ),
    st.builds(list),
    st.builds(dict),
    st.just([["x"]]),
    st.text(max_size=12),
    st.floats(allow_nan=True),
)
PROPER: dict[str, st.SearchStrategy[Any]] = {
    "name": st.text(st.characters(codec="utf-8", exclude_categories=("C",)), max_size=40)
    | st.sampled_from(
        [
            "",
            " ",
            "-",
            "{secret}",
            "../../x",
            "<script>alert(1)</script>",
            "{{7*7}}",
            "{% include 'x' %}",
            "=1+1",
            "a|b",
            "[x](javascript:1)",
            "[/url][img]x",
            "x" * 1000,
            "\ufdfa" * 1000,
            "e\u0301\u0323" * 300,
            "\u200f\u061c",
        ]
    ),
    "source": st.sampled_from(["", "steam", "../x", "{secret}", "<b>", "=1+1", "x" * 300]),
    "url": st.sampled_from(
        [
            None,
            "https://a.example",
            "https://a.example:443/x?y#z",
            "https://a.example/'onload=x(1)",
            "https://a.example/)[x](y",
            "https://a.example/%2e%2e/%00",
            "https://XN--A.example/" + "x" * 1900,
        ]
    ),
    "sha256": st.sampled_from(["0" * 64, "f" * 64, "a" * 64]),
    "columns": st.sampled_from(
        [
            "{}",
            '{"picture": "{picture}", "path": "{secret}", "tags": "a,b;c|d"}',
            '{"reviews": 1e308, "year": 1e22}',
            '{"reviews": -1, "a": ' + "[" * 30 + "]" * 30 + "}",
            '{"reviews": ' + "9" * 290 + ', "released": [["2020"]], "adult": true}',
            '{"released": {"date": "2020"}, "tags": {"a": 1}, "genres": [[["x"]]], "free": [1], "adult": {}}',
            '{"tags": ["<b>", "=1", "", " ", "{secret}"], "genres": {"a": 1}}',
            '{"tags": ' + json.dumps([f"t{number}" for number in range(3000)]) + "}",
            '{"tags": "' + "t" * 30000 + '", "released": "' + "2" * 30000 + '"}',
            '{"tags": [' + '["x"],' * 999 + "null]}",
            '{"": "\\u001b[31m\\n"}',
        ]
    ),
    "reason": st.sampled_from(
        ["", "{secret}: the file does not exist", "C:\\x: no", "<b>", "../../x", "x" * 1000]
    ),
}
"""What a field may hold, and a careless reader stumbles over."""

RECIPES: list[tuple[tuple[str, ...], list[Any]]] = [
    (("name",), ["", "../x", "{secret}", "<script>", "{{7*7}}", "x" * 200]),
    (("identity", "model"), ["", "../x", "{secret}", "clip-vitb32", "<b>", "dino-vits16"]),
    (("identity", "weights"), ["0" * 64]),
    (("identity", "projection"), ["0" * 64, None]),
    (("identity", "precision"), ["int8"]),
    (("identity", "transform", "mode"), ["crop", "squash", "fit"]),
    (("identity", "transform", "width"), [1, 2, 7, 31, 333]),
    (("identity", "transform", "height"), [1, 2, 7, 31, 333]),
    (("identity", "transform", "mean"), [[0.0] * 3, [1e308] * 3, [-1e308] * 3, [1e-308] * 3, [3e38] * 3]),
    (("identity", "transform", "std"), [[1e-300] * 3, [1e-38] * 3, [1e308] * 3, [5e-324] * 3]),
    (("identity", "pooling", "kind"), ["simple", "complex", "multiscale", "patches"]),
    (("identity", "pooling"), [{"kind": "gem", "power": power} for power in (1.0, 3.0, 100.0)]),
]
"""What a recipe may say, and nobody's does."""

KEYS = st.sampled_from(
    ["picture", "path", "banner", "file", "kind", "__class__", "id", "dim", "{secret}", ""]
)


def filled(value: Any) -> Any:
    """Puts the secret's place into a value."""
    if isinstance(value, str):
        for name, place in PLACE.items():
            value = value.replace(f"{{{name}}}", place)
    return value


def leaves(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each value inside another, the containers included."""
    if way:
        yield way
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield from leaves(inner, (*way, key))


@st.composite
def changed_record(draw: st.DrawFn, record: Any) -> Any:
    """A record with one of its values, at any depth, replaced, removed, or joined by another."""
    record = copy.deepcopy(record)
    way = draw(st.sampled_from(list(leaves(record))))
    inner = record
    for key in way[:-1]:
        inner = inner[key]
    what = draw(st.sampled_from(["replace", "replace", "replace", "replace", "remove", "add"]))
    if what == "replace":
        inner[way[-1]] = filled(draw(VALUES))
    elif what == "remove":
        del inner[way[-1]]
    elif isinstance(inner, dict):
        inner[filled(draw(KEYS))] = filled(draw(VALUES))
    else:
        inner.append(filled(draw(VALUES)))
    return record


def written(record: Any) -> bytes:
    return json.dumps(record).encode()


@st.composite
def changed_manifest(draw: st.DrawFn, members: dict[str, bytes]) -> dict[str, bytes]:
    record = json.loads(members["manifest.json"])
    if draw(st.booleans()):
        for way, values in draw(st.lists(st.sampled_from(RECIPES), min_size=1, max_size=2)):
            inner = record["recipe"]
            for key in way[:-1]:
                inner = inner[key]
            inner[way[-1]] = filled(draw(st.sampled_from(values)))
        return {**members, "manifest.json": written(record)}
    raw = draw(st.sampled_from(["", "", "", "", "", "twice", "deep", "bom", "utf16", "empty"]))
    data = written(draw(changed_record(record)))
    if raw == "twice":
        data = data[:-1] + b', "games": 5}'
    elif raw == "deep":
        data = b"[" * 20000
    elif raw == "bom":
        data = b"\xef\xbb\xbf" + data
    elif raw == "utf16":
        data = data.decode().encode("utf-16")
    elif raw == "empty":
        data = b""
    return {**members, "manifest.json": data}


@st.composite
def changed_lines(draw: st.DrawFn, members: dict[str, bytes], name: str) -> dict[str, bytes]:
    lines = members[name].splitlines()
    number = draw(st.integers(0, len(lines) - 1))
    others = ["both", "double", "swap", "drop", "raw", "end", "many"]
    what = draw(st.sampled_from(["field"] * 8 + ["proper"] * 12 + others))
    if what == "field":
        lines[number] = written(draw(changed_record(json.loads(lines[number]))))
    elif what == "proper":
        record = json.loads(lines[number])
        for key in draw(st.sets(st.sampled_from(sorted(record.keys() & PROPER.keys())), min_size=1)):
            record[key] = filled(draw(PROPER[key]))
        lines[number] = written(record)
    elif what == "both":
        lines[number] = written(
            {**json.loads(lines[number]), "id": draw(st.sampled_from(["10", "70", "71"]))}
        )
    elif what == "double":
        lines.insert(number, lines[number])
    elif what == "swap":
        lines[0], lines[-1] = lines[-1], lines[0]
    elif what == "drop":
        del lines[number]
    elif what == "raw":
        lines[number] = draw(st.sampled_from([b"", b"null", b"[]", b"\xff\xfe", b'{"id":"1"', b"[" * 20000]))
    elif what == "many":
        lines += [lines[-1]] * 5000
    end = b"" if what == "end" else b"\n"
    return {**members, name: b"\n".join(lines) + end}


@st.composite
def changed_vectors(draw: st.DrawFn, members: dict[str, bytes]) -> dict[str, bytes]:
    data = members["vectors.npy"]
    values = np.load(io.BytesIO(data))
    what = draw(st.sampled_from(["header", "header", "number", "cut", "more", "order", "bytes", "version"]))
    if what == "header":
        descr = draw(
            st.sampled_from(["<f4", "<f4", ">f4", "<f8", "<f2", "|O", "|S64", "<c8", "<i4", "|V4", "<U1"])
        )
        side = st.sampled_from([0, 1, packs.GAMES, packs.DIM, packs.GAMES * packs.DIM, 2**31, 2**40, 10**11])
        shape = tuple(draw(st.lists(side, max_size=3)))
        data = packs.header(descr, shape) + values.tobytes()
    elif what == "number":
        values.flat[draw(st.integers(0, values.size - 1))] = draw(
            st.sampled_from([np.nan, np.inf, -np.inf, 0, 3e38, 1e-40, 2])
        )
        data = packs.array(values)
    elif what == "cut":
        data = data[: draw(st.integers(0, len(data)))]
    elif what == "more":
        data += b"\0" * draw(st.sampled_from([1, 64, 4096]))
    elif what == "order":
        data = packs.array(np.asfortranarray(values))
    elif what == "version":
        data = data[:6] + bytes([draw(st.integers(0, 255))]) + data[7:]
    else:
        data = packs.array(np.array([None, {}]), allow_pickle=True)
    return {**members, "vectors.npy": data}


@st.composite
def changed_whitening(draw: st.DrawFn, members: dict[str, bytes]) -> dict[str, bytes]:
    with np.load(io.BytesIO(members["whitening.npz"])) as known:
        mean, projection = known["mean"], known["projection"]
    what = draw(
        st.sampled_from(
            [
                "shape",
                "number",
                "pickle",
                "names",
                "deflated",
                "none",
                "promise",
                "half",
                "cut",
                "other",
                "claim",
            ]
        )
    )
    if what == "shape":
        data = packs.arrays(
            mean=mean[: draw(st.integers(0, 40))], projection=projection[: draw(st.integers(0, 40))]
        )
    elif what == "number":
        projection = projection.copy()
        projection.flat[::3] = draw(st.sampled_from([np.nan, np.inf, 0, 3e38, 1e30, -1e-40]))
        data = packs.arrays(mean=mean, projection=projection)
    elif what == "pickle":
        file = io.BytesIO()
        np.savez(file, mean=np.array([None]), projection=projection)
        data = file.getvalue()
    elif what == "names":
        data = packs.arrays(**{draw(st.sampled_from(["mean", "../x", "x"])): mean, "projection": projection})
    elif what == "deflated":
        file = io.BytesIO()
        np.savez_compressed(file, mean=mean, projection=projection)
        data = file.getvalue()
    elif what == "promise":
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("mean.npy", packs.header("<f4", (2**31,)))
            archive.writestr("projection.npy", packs.header("<f4", (2**31, packs.DIM)))
        data = file.getvalue()
    elif what == "half":
        data = packs.arrays(mean=mean.astype(np.float16), projection=projection.astype(np.float64))
    elif what == "cut":
        data = members["whitening.npz"][: draw(st.integers(0, 500))]
    elif what == "other":
        return {**members, "whitening.npz": packs.arrays(mean=mean * 2, projection=projection)}
    else:
        changed = dict(members)
        if what == "none":
            del changed["whitening.npz"]
        else:
            changed["manifest.json"] = changed["manifest.json"].replace(
                json.loads(changed["manifest.json"])["recipe"]["identity"]["projection"].encode(), b"0" * 64
            )
        return changed
    return packs.with_whitening(members, data)


@st.composite
def changed_zip(draw: st.DrawFn, members: dict[str, bytes]) -> bytes:
    """The bytes of a pack whose zip is not what it should be."""
    names = st.sampled_from(sorted(members))
    what = draw(
        st.sampled_from(
            [
                "name",
                "extra",
                "drop",
                "deflate",
                "twice",
                "directory",
                "local",
                "comment",
                "before",
                "cut",
                "bytes",
            ]
        )
    )
    file, pairs, methods = io.BytesIO(), list(members.items()), {}
    one = draw(names)
    strange = filled(
        draw(st.sampled_from(["../x", "{secret}", "games.sqlite", "MANIFEST.JSON", "x/", "C:\\x", ""]))
    )
    if what == "name":
        pairs = [(strange if name == one else name, data) for name, data in pairs]
    elif what == "extra":
        pairs.append((strange, b"x"))
    elif what == "drop":
        pairs = [(name, data) for name, data in pairs if name != one]
    elif what == "deflate":
        methods[one] = draw(st.sampled_from([zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]))
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in pairs:
            usual = zipfile.ZIP_STORED if name in packs.STORED else zipfile.ZIP_DEFLATED
            archive.writestr(zipfile.ZipInfo(name), data, methods.get(name, usual))
        if what == "comment":
            archive.comment = b"x" * draw(st.sampled_from([1, 40, 60000]))
    data = bytearray(file.getvalue())
    if what == "twice":
        at = data.index(b"PK\x01\x02")
        end = data.index(b"PK\x05\x06")
        data[end:end] = data[at : data.index(b"PK\x01\x02", at + 4)]
        size = len(data) - end - 22 + end - at
        data[-12:-8], data[-14:-10] = data[-12:-8], data[-14:-10]
        data[len(data) - 10 : len(data) - 6] = size.to_bytes(4, "little")
    elif what in ("directory", "local"):
        start = b"PK\x01\x02" if what == "directory" else b"PK\x03\x04"
        places = [found.start() for found in re.finditer(re.escape(start), data)]
        at = draw(st.sampled_from(places)) + draw(st.integers(4, 46 if what == "directory" else 30))
        wide = draw(st.sampled_from([1, 2, 4]))
        data[at : at + wide] = draw(
            st.sampled_from([b"\xff" * wide, b"\0" * wide, b"\1" + b"\0" * (wide - 1)])
        )
    elif what == "before":
        data[:0] = b"#!/bin/sh\n" * 10
    elif what == "cut":
        del data[draw(st.integers(0, len(data) - 1)) :]
    elif what == "bytes":
        for _ in range(draw(st.integers(1, 5))):
            data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data)


class Mutant:
    """A changed pack: which part was changed, and its bytes."""

    def __init__(self, kind: str, data: bytes) -> None:
        self.kind, self.data = kind, data

    def __repr__(self) -> str:
        return f"<{self.kind}, {len(self.data):,} bytes>"


KINDS = ["manifest", "games", "games", "absent", "vectors", "whitening", "zip"]


@st.composite
def mutants(draw: st.DrawFn) -> Mutant:
    members = valid()
    kind = draw(st.sampled_from(KINDS))
    if kind == "zip":
        return Mutant(kind, draw(changed_zip(members)))
    changed = {
        "manifest": changed_manifest,
        "vectors": changed_vectors,
        "whitening": changed_whitening,
    }
    lines = changed_lines(members, f"{kind}.jsonl")
    members = draw(changed[kind](members) if kind in changed else lines)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            method = zipfile.ZIP_STORED if name in packs.STORED else zipfile.ZIP_DEFLATED
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return Mutant(kind, file.getvalue())


@cache
def valid() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        return packs.valid(Path(folder))


# What is done with them


class Place:
    """The folders of a run: a secret, a stranger's pack, an output, and Python's temporary folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.outside, self.work, self.out, self.temporary = (
            root / name for name in ("outside", "work", "out", "temporary")
        )
        for folder in (self.outside, self.work, self.out, self.temporary):
            folder.mkdir()
        (self.outside / "secret.txt").write_text(SECRET)
        rng = np.random.default_rng(7)
        Image.fromarray(rng.integers(0, 256, (90, 60, 3), dtype=np.uint8)).save(self.outside / "secret.png")
        PLACE.update(secret=str(self.outside / "secret.txt"), picture=str(self.outside / "secret.png"))
        self.picture = self.work / "draft.png"
        Image.fromarray(rng.integers(0, 256, (90, 60, 3), dtype=np.uint8)).save(self.picture)
        self.pack = self.work / "stranger.steamdino"

    def listing(self) -> list[tuple[str, int, int]]:
        """Everything but the output and the temporary folder."""
        return sorted(
            (str(path), path.stat().st_size, path.stat().st_mtime_ns)
            for folder in (self.outside, self.work)
            for path in folder.rglob("*")
        ) + sorted((str(path), 0, 0) for path in self.root.iterdir())


def searched(snapshot: Snapshot, place: Place, *, pictures: bool) -> str:
    """Every way to ask; returns what came out, as JSON."""
    found = [json.dumps(match_records.as_record(snapshot.similar(key))) for key in snapshot.ids[:2]]
    for ask in (
        lambda: snapshot.similar("Gone"),
        lambda: snapshot.similar("80"),
        lambda: snapshot.similar("game"),
        lambda: snapshot.similar(snapshot.ids[-1], alike=True),
        lambda: snapshot.similar(snapshot.ids[0], only=Filter(tags=("indie",), released_from="2019")),
        lambda: snapshot.similar(snapshot.ids[0], plus=[snapshot.ids[-1]]),
        lambda: snapshot.similar(snapshot.ids[0], mirror=True),
        *([lambda: snapshot.similar(place.picture)] if pictures else []),
    ):
        try:
            found.append(json.dumps(match_records.as_record(ask())))
        except SteamDinoError as error:
            assert "\n" not in str(error)
            found.append(str(error))
    found += [repr(snapshot.suggest("gam")), repr(snapshot.tags()), repr(snapshot.manifest)]
    return "\n".join(found)


def exported(snapshot: Snapshot, pack: Path, out: Path) -> None:
    """Every writer, into one folder."""
    table = Neighbourhood.of(snapshot, 3, only=Filter(adult=True))
    answers = [snapshot.similar(key, 3) for key in snapshot.ids[:2]]
    lonely = unique(snapshot, None)
    to = markup.PictureLinks(banner_urls.steam_pictures(pack, "vertical"), out)
    sheet.write_sheet(out / "sheet.html", answers, title="x")
    unique_report.write_list(out / "unique.html", lonely, title="x", note="y")
    unique_report.write_grid(out / "unique.png", lonely, title="x")
    mosaic.write_png(out / "sheet.png", mosaic.mosaic(mosaic.of_matches(answers[0]), "x", lead=1))
    ways = {
        "unique.json": unique_report.as_json(lonely, snapshot.recipe.name, "unique"),
        "similar.json": legacy_export.similar_json([(key, [key]) for key in snapshot.ids], numbers=False),
        **{
            f"text.{name}": unique_report.as_wiki(lonely, to, write)
            + markup.section(answers[0].query.text, None, [one.game for one in answers[0]], to, write)
            for name, write in markup.LINKS.items()
        },
    }
    for name, text in ways.items():
        (out / name).write_text(text, "utf-8")
    context = Context(snapshot, pack, "vertical", out)
    for name, writer in WRITERS.items():
        with (out / f"written.{name}").open("wb") as file:
            found = answers_of(table) if writer.takes_several else map(Answer.of, answers[:1])
            text = file if writer.binary else io.TextIOWrapper(file, "utf-8", newline="")
            writer.write(found, text, context)
            text.flush()
    legacy_export.write_arrays(out / "arrays", table)
    map_writer.write_map(
        snapshot, np.arange(len(snapshot)), png=out / "map.png", folder=out / "map", title="x"
    )
    shown = [one.game for one in diverse(snapshot, 3)]
    site.write_site(
        out / "site",
        snapshot,
        home=shown,
        lonely=lonely,
        online=banner_urls.SteamPictures(),
        title="x",
        only=Filter(adult=True),
    )


@cache
def only_app(pack: Path) -> FastAPI:
    return create_app(Settings(gallery=pack), WebSettings(requests_per_minute=0.0))


def app_over(pack: Path) -> FastAPI:
    """The app; its routes are made once, which takes longer than all that is asked of it."""
    app = only_app(pack)
    app.state.served = SnapshotRegistry(Settings(gallery=pack), WebSettings())
    return app


def served(pack: Path, ids: list[str], picture: Path | None) -> str:
    """The pages and the API over a pack; returns all that was answered."""
    app = app_over(pack)

    async def ask() -> list[str]:
        transport = httpx.ASGITransport(app=app)
        answers = []
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            key = quote(ids[0], safe="")
            for address in (
                "/",
                "/api/v1/info",
                "/api/v1/games?q=gam",
                "/api/v1/games?tag=indie",
                f"/api/v1/games/{key}",
                f"/api/v1/games/{key}/similar",
                f"/games/{key}",
                f"/banners/300/{key}",
                f"/render/{key}",
                "/api/v1/unique",
                "/api/v1/duplicates",
                "/similar_apps_from_id?id=" + key,
                "/id_from_name?name=Gone",
                "/id_from_name?name=80",
                "/app?index=0",
            ):
                answer = await client.get(address)
                assert answer.status_code != 500, (address, answer.text)
                answers.append(answer.text)
            if picture is not None:
                sent = {"picture": ("x.png", picture.read_bytes(), "image/png")}
                answer = await client.post("/api/v1/similar", files=sent)
                assert answer.status_code != 500, answer.text
                answers.append(answer.text)
        return answers

    return "\n".join(asyncio.run(ask()))


def outcome(place: Place, mutant: Mutant, watch: Watch) -> str:
    """Opens a pack and, if it opens, does everything with it; checks that no harm was done."""
    place.pack.write_bytes(mutant.data)
    before = place.listing()
    out = Path(tempfile.mkdtemp(dir=place.out))
    told = ""
    gc.collect()  # snapshots of other tests remove their folders now, and not while the watch is on
    with watch():
        try:
            snapshot = Snapshot.open(place.pack)
        except SnapshotError as error:
            told, snapshot = str(error), None
            assert str(place.pack) in told
            assert "\n" not in told
            assert len(told) < len(str(place.pack)) + 700
        else:
            if len(snapshot):
                pictures = mutant.kind in ("manifest", "whitening")
                assert all(game.picture is None for game in snapshot.games(range(len(snapshot))))
                told += searched(snapshot, place, pictures=pictures)
                answers = served(place.pack, snapshot.ids, place.picture if pictures else None)
                assert not any(str(own) in answers for own in (place.temporary, place.work))
                told += answers
                exported(snapshot, place.pack, out)
    assert watch.heard, "nothing was heard: the watch is asleep"
    assert not watch.strayed([place.work, place.temporary, out])
    assert place.listing() == before
    assert SECRET not in told
    for path in out.rglob("*"):
        assert path.is_dir() or SECRET.encode() not in path.read_bytes()
    return "refused" if snapshot is None else "harmless"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    place = Place(tmp_path.resolve())
    monkeypatch.setattr(tempfile, "tempdir", str(place.temporary))
    monkeypatch.chdir(place.temporary)  # shutil.rmtree opens folders relative to others, as if they lay here
    # The first search by a picture compiles the model and keeps it in the user's cache: not while the watch is on.
    snapshot = Snapshot.open(packs.zipped(place.pack, valid()))
    searched(snapshot, place, pictures=True)
    served(place.pack, snapshot.ids, place.picture)
    return place


def run(place: Place, watch: Watch, count: int) -> Counter[tuple[str, str]]:
    counts: Counter[tuple[str, str]] = Counter()

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
    @given(mutants())
    def each(mutant: Mutant) -> None:
        found = outcome(place, mutant, watch)
        event(f"{mutant.kind}: {found}")
        counts[mutant.kind, found] += 1

    each()
    total = Counter(found for _, found in counts.elements())
    print(
        f"\n{counts.total():,} mutants: {total['refused']:,} refused, {total['harmless']:,} harmless, 0 harmful"
    )
    for kind in sorted({kind for kind, _ in counts}):
        print(f"  {kind}: {counts[kind, 'refused']:,} refused, {counts[kind, 'harmless']:,} harmless")
    return counts


def test_the_valid_pack_is_opened_searched_served_and_exported(place: Place, watch: Watch) -> None:
    data = packs.zipped(place.pack, valid()).read_bytes()
    assert outcome(place, Mutant("manifest", data), watch) == "harmless"


@pytest.mark.parametrize(
    "change",
    [
        {"picture": "{picture}"},
        {"picture": "../../outside/secret.png"},
        {"sha256": "../" * 7 + "outside/" + "x" * 30},
        {"sha256": "/" + "x" * 63, "picture": "{picture}"},
    ],
)
def test_what_once_read_and_wrote_outside_is_refused(
    change: dict[str, str], place: Place, watch: Watch
) -> None:
    members, lines = dict(valid()), [json.loads(line) for line in valid()["games.jsonl"].splitlines()]
    lines[0] |= {key: filled(value) for key, value in change.items()}
    members |= {"games.jsonl": b"".join(written(line) + b"\n" for line in lines)}
    data = packs.zipped(place.pack, members).read_bytes()
    assert outcome(place, Mutant("games", data), watch) == "refused"


@pytest.mark.slow
def test_no_mutant_of_a_pack_does_harm(place: Place, watch: Watch) -> None:
    counts = run(place, watch, MUTANTS)
    assert {found for _, found in counts} == {"refused", "harmless"}


@pytest.mark.soak
def test_no_mutant_of_very_many_does_harm(place: Place, watch: Watch) -> None:
    run(place, watch, MANY)
