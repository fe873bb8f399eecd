"""Where every command that writes a file writes it: files, standard output, pipes, links."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer.main
from PIL import Image
from tests.fakes.steam import Store as Steam
from tests.fakes.steam import serving

import steamdino
from steamdino.pipeline.sync import SyncRequest, sync
from steamdino.present.cli.main import _exit_code, app_of
from steamdino.settings import SteamSettings

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@dataclass(frozen=True)
class Done:
    """What a command came to."""

    code: int
    out: bytes
    err: str


SteamDino = Callable[..., Done]


@pytest.fixture
def steam_dino(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> SteamDino:
    """Runs the command line in this process, down to the real descriptors."""
    monkeypatch.delenv("COLUMNS", raising=False)

    def run(*arguments: object) -> Done:
        capfdbinary.readouterr()
        monkeypatch.setattr(sys, "argv", ["steam-dino", *map(str, arguments)])
        code = _exit_code()
        sys.stderr.flush()
        out, err = capfdbinary.readouterr()
        return Done(code, out, err.decode())

    return run


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gallery of a dozen games in pairs, so that what takes long is soon done."""
    folder = tmp_path_factory.mktemp("few")
    rows = []
    for number in range(12):
        coarse = np.random.default_rng(number // 2).integers(0, 256, (12, 8, 3), dtype=np.uint8)
        image = Image.fromarray(coarse).resize((60, 90), Image.Resampling.BICUBIC)
        image.save(folder / f"{number}.jpg", quality=95 - 20 * (number % 2))
        rows.append(
            {"id": str(number), "name": f"Game {number}", "path": f"{number}.jpg", "pair": f"{number // 2}"}
        )
    (folder / "games.jsonl").write_text("\n".join(map(json.dumps, rows)))
    steamdino.add(folder / "gallery", folder / "games.jsonl")
    steamdino.build(folder / "gallery")
    return folder / "gallery"


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gallery that knows addresses."""
    gallery = tmp_path_factory.mktemp("synced") / "gallery"
    with serving(Steam.of(5)) as store, pytest.MonkeyPatch.context() as patch:
        patch.setenv("STEAMDINO_STEAM_API_URL", store.address)
        patch.setenv("STEAMDINO_STEAM_ASSETS_URL", f"{store.address}/assets")
        patch.setenv("STEAMDINO_STEAM_RATE", "0")
        patch.setenv("STEAMDINO_STEAM_BANNER_RATE", "0")
        sync(gallery, SyncRequest(), SteamSettings.load({}))
    return gallery


@pytest.fixture
def gallery(request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue(request.param)
    return found


QUERY, OTHER = "neonoir", "hollow-avenue"
EVALUATE = "evaluate --copies 0 --labels pair"
WRITES = [
    ("built", f"export markdown {QUERY} -o", "a.md"),
    ("built", f"export bbcode {QUERY} -o", "a.txt"),
    ("built", f"export json {QUERY} {OTHER} -o", "a.json"),
    ("built", f"export csv {QUERY} --all -o", "a.csv"),
    ("built", f"export parquet {QUERY} -o", "a.parquet"),
    ("synced", "export urls -o", "a.csv"),
    ("built", f"export html {QUERY} -o", "a.html"),
    ("built", f"export sheet {QUERY} -o", "a.png"),
    ("built", "pack -o", "a.steamdino"),
    ("few", "check --html", "a.html"),
    ("built", f"duplicates {QUERY} --html", "a.html"),
    ("built", "unique -n 2 --html", "a.html"),
    ("built", "unique -n 2 --sheet", "a.png"),
    ("built", f"explain {QUERY} {OTHER} -o", "a.png"),
    ("built", "audit draft.jpg --html", "a.html"),
    ("built", "changes --format html -o", "a.html"),
    ("few", "map -o", "a.png"),
    ("few", f"{EVALUATE} --markdown", "a.md"),
    ("few", f"{EVALUATE} --plot", "a.svg"),
    ("built", "models show bundled draft.jpg -o", "a.png"),
]
"""A gallery, a command up to its file, and a file."""

WRITE_FOLDERS = [
    "export npy -o",
    "export lance -o",
    "export parquet --vectors -o",
    "export site -o",
    "map --html",
    "train --out",
    "demo",
]

READ = {
    "--snapshot",
    "--from",
    "--appids",
    "--decisions",
    "--weights",
    "--names",
    "--gallery",
    "--words",
    "--onnxruntime-web",
}
"""Options of files and folders that are not written because they are named."""

FILES_OR_FOLDERS = ("duplicates neonoir --html",)
"""Commands whose option takes a file for all in one, or a folder for pages."""
MATCHING = pytest.mark.parametrize(
    ("gallery", "command", "name"), WRITES, ids=[command for _, command, _ in WRITES], indirect=["gallery"]
)


def _with_file(command: str, gallery: Path, file: object) -> list[str]:
    """The option that names the file stands last in `WRITES`."""
    arguments = command.split()
    if not command.startswith("models"):
        arguments = [*arguments[:-1], "-g", str(gallery), arguments[-1]]
    return [*arguments, str(file)]


def _content(name: str, data: bytes) -> object:
    """What is in a file, apart from when it was written."""
    if not name.endswith(".steamdino"):
        return data
    Path("packed").write_bytes(data)
    with zipfile.ZipFile("packed") as archive:
        assert archive.testzip() is None
        return [(one, archive.read(one)) for one in archive.namelist()]


def _commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if hasattr(command, "commands"):
        for name, inner in command.commands.items():
            yield from _commands(inner, (*path, name))
    else:
        yield path, command


def test_no_option_that_names_a_file_to_write_is_left_out_here() -> None:
    tried = {(*_words(command), *command.split()[-1:]) for _, command, _ in WRITES}
    tried |= {(*_words(command), command.split()[-1]) for command in WRITE_FOLDERS}
    for path, command in _commands(typer.main.get_command(app_of([]))):
        for parameter in command.params:
            names = {*parameter.opts, *parameter.secondary_opts}
            if parameter.param_type_name != "option" or parameter.metavar not in ("FILE", "DIR"):
                continue
            if names & READ:
                continue
            assert any((*path, name) in tried for name in names), f"{path}: {names} is not tried"


def _words(command: str) -> Sequence[str]:
    """The names of a command."""
    first, second, *_ = [*command.split(), ""]
    return (first, second) if first in ("export", "models") else (first,)


@pytest.mark.quick_cases(1)
@MATCHING
def test_a_file_is_written_through_a_link_and_standard_output_gets_the_same_bytes(
    gallery: Path, command: str, name: str, steam_dino: SteamDino, paint: Callable[..., Path]
) -> None:
    paint(Path("draft.jpg"), size=(150, 225))
    target = Path("real", name)
    target.parent.mkdir()
    target.write_bytes(b"old")
    target.chmod(0o600)
    Path(name).symlink_to(target)
    filed = steam_dino(*_with_file(command, gallery, name))
    assert filed.code == 0, filed.err
    content = target.read_bytes()
    assert content != b"old"
    assert (Path(name).is_symlink(), target.stat().st_mode & 0o777) == (True, 0o600)

    piped = steam_dino(*_with_file(command, gallery, "-"))
    assert piped.code == 0, piped.err
    assert _content(name, piped.out) == _content(name, content)
    # What was printed is printed still, beside the data and not in it.
    for line in filed.out.decode().splitlines():
        assert _shape(line.replace(name, "standard output").removesuffix(", 1.0 MB")) in _shape(piped.err)
    assert not Path("-").exists()


def _shape(text: str) -> str:
    """A text without its numbers, some of which are speeds."""
    return " ".join(re.sub(r"[\d.,]+", "#", text).split())


@pytest.mark.parametrize(
    ("gallery", "command", "name"),
    [one for one in WRITES if one[1] not in FILES_OR_FOLDERS],
    indirect=["gallery"],
)
def test_a_folder_is_refused_before_the_work_in_one_line(
    gallery: Path, command: str, name: str, steam_dino: SteamDino, paint: Callable[..., Path]
) -> None:
    paint(Path("draft.jpg"), size=(150, 225))
    path = Path(name)
    path.mkdir()
    done = steam_dino(*_with_file(command, gallery, path))
    option = command.split()[-1]
    told = f"steam-dino: {name} cannot be written: it is a folder; name another file with {option}\n"
    assert (done.code, done.out, done.err) == (1, b"", told)
    assert list(path.iterdir()) == []


@pytest.mark.parametrize("command", WRITE_FOLDERS)
@pytest.mark.parametrize("path", ["-", "/dev/stdout"])
def test_a_folder_cannot_be_written_to_standard_output(
    command: str, path: str, steam_dino: SteamDino, built: Path
) -> None:
    arguments = [*command.split(), path]
    done = steam_dino(*arguments, *([] if command == "demo" else ["-g", built]))
    option = "DIR" if command == "demo" else command.split()[-1]
    told = f"steam-dino: {option} is {path}, and standard output takes one file only; name a folder\n"
    assert (done.code, done.out, done.err) == (2, b"", told)
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize(
    ("command", "both"),
    [
        ("unique --html - --sheet -", "--html and --sheet"),
        ("unique --html - --sheet /dev/stdout", "--html and --sheet"),
        ("unique --html - --format ids", "--format ids and --html"),
        ("evaluate --markdown - --plot -", "--markdown and --plot"),
        ("evaluate --plot - --format json", "--format json and --plot"),
        ("check --html - --format csv", "--format csv and --html"),
        ("duplicates --html - --format removable", "--format removable and --html"),
        (f"explain {QUERY} {OTHER} -o - --format json", "--format json and -o"),
        ("audit draft.jpg --html - --format json", "--format json and --html"),
    ],
)
def test_two_outputs_on_standard_output_are_refused(
    command: str, both: str, steam_dino: SteamDino, built: Path
) -> None:
    done = steam_dino(*command.split(), "-g", built)
    told = f"steam-dino: {both} both write to standard output; name a file for one of them\n"
    assert (done.code, done.out, done.err) == (2, b"", told)


def test_arrays_are_written_through_links_in_their_folder(steam_dino: SteamDino, few: Path) -> None:
    Path("real").mkdir()
    Path("arrays").symlink_to("real")
    Path("real", "app_ids.npy").symlink_to("../elsewhere.npy")
    done = steam_dino("export", "npy", "-o", "arrays", "-g", few, "-k", 2)
    assert done.code == 0, done.err
    assert Path("arrays").is_symlink()
    assert Path("real", "app_ids.npy").is_symlink()
    assert len(np.load("elsewhere.npy")) == 12


def test_a_site_and_a_map_are_written_through_a_link_and_keep_the_old_ones_on_a_failure(
    steam_dino: SteamDino, few: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for command, name in (("export site -o", "site"), ("map --html", "map")):
        Path("real").mkdir(exist_ok=True)
        Path(name).symlink_to(f"real/{name}")
        for _ in range(2):
            done = steam_dino(*command.split(), name, "-g", few)
            assert done.code == 0, done.err
            assert Path(name).is_symlink()
            assert Path("real", name, "index.html").is_file()
        with monkeypatch.context() as patch:
            rename = os.rename

            def failing(source: Path, target: Path, name: str = name, rename: Any = rename) -> None:
                if Path(target).name == name and Path(source).parent.name.startswith(".unfinished-"):
                    raise OSError(5, "Input/output error")
                rename(source, target)

            patch.setattr(os, "rename", failing)
            done = steam_dino(*command.split(), name, "-g", few)
        option = command.split()[-1]
        told = (
            f"steam-dino: {name} cannot be written: Input/output error; name another folder with {option}\n"
        )
        assert (done.code, done.err) == (1, told)
        assert Path("real", name, "index.html").is_file()
    assert sorted(path.name for path in Path("real").iterdir()) == ["map", "site"]


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (f"export csv {QUERY} -o", "a.csv"),
        (f"export sheet {QUERY} -o", "a.png"),
        ("pack -o", "a.steamdino"),
    ],
)
def test_a_pipe_gets_what_the_file_gets_whatever_it_is_called(
    command: str, name: str, steam_dino: SteamDino, built: Path
) -> None:
    assert steam_dino(*_with_file(command, built, name)).code == 0
    os.mkfifo("pipe")
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(Path("pipe").read_bytes()), daemon=True)
    reader.start()
    done = steam_dino(*_with_file(command, built, "pipe"))
    assert done.code == 0, done.err
    reader.join(30)
    assert _content(name, received[0]) == _content(name, Path(name).read_bytes())
    assert Path("pipe").is_fifo()


def test_ways_to_pictures_begin_where_the_command_runs_if_the_text_goes_down_a_stream(
    steam_dino: SteamDino, built: Path
) -> None:
    printed, device = (
        steam_dino("export", "markdown", QUERY, "-g", built, "-o", path) for path in ("-", "/dev/stdout")
    )
    assert device.code == 0, device.err
    assert device.out == printed.out
    assert b'src="' in device.out


def _process(command: Sequence[object], **options: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "steamdino", *map(str, command)], **options)


def test_a_shell_may_redirect_append_and_substitute(built: Path, tmp_path: Path, umask: None) -> None:
    os.umask(0o077)
    csv = ["export", "csv", QUERY, "-g", built, "-k", "2", "-o"]
    with _process([*csv, tmp_path / "file.csv"]) as done:
        assert done.wait(60) == 0
    content = (tmp_path / "file.csv").read_bytes()
    assert (tmp_path / "file.csv").stat().st_mode & 0o777 == 0o600
    with (tmp_path / "appended").open("ab") as file:
        file.write(b"before\n")
        file.flush()
        inode = os.fstat(file.fileno()).st_ino
        with _process([*csv, "/dev/stdout"], stdout=file, stderr=subprocess.PIPE) as done:
            assert done.communicate(timeout=60)[1] == b"/dev/stdout: 1 query\n"
    assert (tmp_path / "appended").read_bytes() == b"before\n" + content
    assert (tmp_path / "appended").stat().st_ino == inode


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("pipe", ["-", "pipe"])
def test_a_reader_who_has_had_enough_ends_it_in_silence(pipe: str, built: Path, tmp_path: Path) -> None:
    path: object = pipe if pipe == "-" else tmp_path / pipe
    if pipe != "-":
        os.mkfifo(tmp_path / pipe)
    command = ["export", "csv", "--all", "-k", "100", "-g", built, "-o", path]
    with _process(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        reader = child.stdout if pipe == "-" else (tmp_path / pipe).open("rb", buffering=0)
        assert reader.read(10) == b"query_id,q"
        reader.close()
        assert child.stderr.read() == b""
    assert child.returncode == 0


def test_a_full_disk_behind_standard_output_is_one_line(built: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        command = ["export", "csv", QUERY, "-g", built, "-o", "-"]
        with _process(command, stdout=full, stderr=subprocess.PIPE) as child:
            _, errors = child.communicate(timeout=60)
    reason = "No space left on device; name another file with -o"
    assert errors.decode() == f"steam-dino: standard output cannot be written: {reason}\n"
    assert child.returncode == 1


def test_streams_that_are_closed_are_no_traceback(built: Path, tmp_path: Path) -> None:
    command = f'"{sys.executable}" -m steamdino similar {QUERY} -g "{built}" --format ids'
    closed = subprocess.run(
        ["sh", "-c", f"{command} >&-"], capture_output=True, text=True, timeout=60, check=False
    )
    told = "steam-dino: standard output is closed; send it to a file, or to /dev/null\n"
    assert (closed.returncode, closed.stderr) == (1, told)
    command = command.replace("similar", "export csv").replace("--format ids", f'-o "{tmp_path / "a.csv"}"')
    quiet = subprocess.run(["sh", "-c", f"{command} 2>&-"], timeout=60, check=False)
    assert quiet.returncode == 0
    assert "hollow-avenue" in (tmp_path / "a.csv").read_text()


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)
