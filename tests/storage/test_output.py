"""Writing to any kind of path that a user gives with ``-o``."""

from __future__ import annotations

import io
import os
import socket
import stat
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from steamdino.errors import OutputError
from steamdino.storage import output
from steamdino.storage.output import MOST_LINKS, is_stdout, is_stream, writing, writing_folder, writing_text

STEP = "name another file with -o"


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def reading() -> Iterator[Callable[[Path], Callable[[], bytes]]]:
    """Read a pipe to its end in a thread; return a function that waits for the bytes."""
    threads = []

    def reading(path: Path) -> Callable[[], bytes]:
        found: list[bytes] = []
        thread = threading.Thread(target=lambda: found.append(path.read_bytes()), daemon=True)
        threads.append(thread)
        thread.start()

        def result() -> bytes:
            thread.join(30)
            return found[0]

        return result

    yield reading
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _device(path: Path, name: str, minor: int) -> Path:
    """Return a device that a test may try to replace: a node of its own, or one that only root could replace."""
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, minor))
        os.close(os.open(path, os.O_WRONLY))
    except PermissionError:
        path.unlink(missing_ok=True)
        if os.geteuid() == 0:
            pytest.skip("this root may not make device nodes, or not use them here")
        path.symlink_to(f"/dev/{name}")
    return path


def _only(path: Path) -> bool:
    return list(path.parent.iterdir()) == [path]


def test_a_new_file_obeys_the_umask_and_an_old_one_keeps_its_permissions(umask: None, tmp_path: Path) -> None:
    for mask, mode in ((0o077, 0o600), (0o022, 0o644)):
        os.umask(mask)
        path = tmp_path / f"{mask:o}"
        with writing(path) as file:
            file.write(b"new")
        assert _mode(path) == mode
        path.chmod(0o640)
        with writing(path) as file:
            file.write(b"newer")
        assert (path.read_bytes(), _mode(path)) == (b"newer", 0o640)


def test_a_link_stays_a_link_and_its_target_is_written(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target = tmp_path / "real" / "target.csv"
    target.write_bytes(b"old")
    target.chmod(0o600)
    (tmp_path / "second").symlink_to("real/target.csv")
    (tmp_path / "first").symlink_to(tmp_path / "second")
    with writing(tmp_path / "first") as file:
        file.write(b"new")
        assert target.read_bytes() == b"old"
    assert (tmp_path / "first").is_symlink()
    assert (tmp_path / "second").is_symlink()
    assert (target.read_bytes(), _mode(target)) == (b"new", 0o600)
    assert _only(target)


def test_a_link_is_followed_from_where_it_lies(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "way").symlink_to("a/b")
    (tmp_path / "a" / "b" / "up").symlink_to("../beside")  # from a/b, whatever way led there
    with writing(tmp_path / "way" / "up") as file:
        file.write(b"new")
    assert (tmp_path / "a" / "beside").read_bytes() == b"new"


def test_a_link_that_leads_nowhere_creates_its_target(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("folder/target")
    with writing(tmp_path / "link") as file:
        file.write(b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "folder" / "target").read_bytes() == b"new"


def test_a_chain_of_forty_links_is_followed_and_a_longer_one_is_not(tmp_path: Path) -> None:
    for number in range(MOST_LINKS + 1):
        (tmp_path / str(number + 1)).symlink_to(str(number))
    with writing(tmp_path / str(MOST_LINKS)) as file:
        file.write(b"new")
    assert (tmp_path / "0").read_bytes() == (tmp_path / str(MOST_LINKS)).read_bytes() == b"new"
    with pytest.raises(OutputError, match="Too many levels of symbolic links"):
        output.check(tmp_path / str(MOST_LINKS + 1))


@pytest.mark.parametrize("kind", ["loop", "folder", "link to a folder", "socket", "below a file", "block"])
def test_an_unwritable_path_is_refused_in_one_line_and_left_as_it_was(kind: str, tmp_path: Path) -> None:
    path, reason = tmp_path / "it", ""
    listening = socket.socket(socket.AF_UNIX)
    with closing(listening):
        if kind == "loop":
            path.symlink_to("other")
            (tmp_path / "other").symlink_to("it")
            reason = "Too many levels of symbolic links"
        elif kind == "folder":
            path.mkdir()
            reason = "it is a folder"
        elif kind == "link to a folder":
            (tmp_path / "real").mkdir()
            path.symlink_to("real")
            reason = "it is a folder"
        elif kind == "socket":
            os.chdir(tmp_path)  # a socket's path may have 107 bytes only
            listening.bind("it")
            reason = "it is a socket"
        elif kind == "below a file":
            (tmp_path / "file").touch()
            path = tmp_path / "file" / "it"
            reason = "Not a directory"
        else:
            try:
                os.mknod(path, stat.S_IFBLK | 0o600, os.makedev(259, 4095))
            except PermissionError:
                found = next((one for one in Path("/dev").iterdir() if one.is_block_device()), None)
                if found is None or os.geteuid() == 0:
                    pytest.skip("there is no block device that a test may try to replace")
                path.symlink_to(found)
            reason = "it is a block device"
        before = sorted((one.name, one.lstat().st_mode) for one in tmp_path.iterdir())
        for use in (output.check, lambda path: writing(path).__enter__()):
            with pytest.raises(OutputError) as refused:
                use(path)
            assert str(refused.value) == f"{path} cannot be written: {reason}; {STEP}"
        assert sorted((one.name, one.lstat().st_mode) for one in tmp_path.iterdir()) == before


def test_the_error_names_the_option_that_the_user_gave(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="name another file with --html"), writing(tmp_path, "--html"):
        pass
    (tmp_path / "file").touch()
    with (
        pytest.raises(OutputError, match="name another folder with --html"),
        writing_folder(tmp_path / "file" / "x", "--html"),
    ):
        pass


def test_a_failure_leaves_the_old_file_and_nothing_half_made(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), writing(path) as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert (path.read_bytes(), _only(path)) == (b"old", True)
    for open_ in (writing, writing_text):
        with pytest.raises(OutputError, match="cannot be written: No space left"), open_(path):
            raise OSError(28, "No space left")
        assert (path.read_bytes(), _only(path)) == (b"old", True)


def test_a_file_that_cannot_be_read_meanwhile_is_named(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with pytest.raises(OutputError) as failed, writing(path):
        (tmp_path / "missing").read_bytes()
    assert str(failed.value).startswith(f"{path} cannot be written: {tmp_path / 'missing'}: No such file")
    assert list(tmp_path.iterdir()) == []


def test_a_pipe_gets_the_bytes_and_stays_a_pipe(
    tmp_path: Path, reading: Callable[[Path], Callable[[], bytes]]
) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to("pipe")
    for path in (pipe, link):
        assert is_stream(path)
        received = reading(pipe)
        with writing(path) as file:
            file.write(b"....")
            file.seek(0)
            file.write(b"new")
        assert received() == b"new."
        assert pipe.is_fifo()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["link", "pipe"]


def test_a_pipe_gets_nothing_half_made(
    tmp_path: Path, reading: Callable[[Path], Callable[[], bytes]]
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received = reading(pipe)
    with pytest.raises(ZeroDivisionError), writing(pipe) as file:
        file.write(b"x" * (output.IN_MEMORY + 1))
        _ = 1 / 0
    assert received() == b"", "its reader must see the end"


def test_a_reader_that_leaves_ends_it_as_on_standard_output(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(BrokenPipeError), writing(pipe) as file:
        file.write(b"x")
        os.close(reader)
    assert pipe.is_fifo()


@given(st.binary(max_size=5 * 64), st.sampled_from([1, 7, 64, 1 << 20]))
def test_every_byte_arrives_in_order_however_little_a_device_takes(data: bytes, chunk: int) -> None:
    taken = bytearray()

    def send(part: memoryview) -> int:
        taken.extend(part[:3])
        return len(part[:3])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(output, "CHUNK", chunk)
        with output._spooled(send) as file:
            file.write(data)
    assert bytes(taken) == data


def test_a_terminal_is_written_to_and_stays_one() -> None:
    ours, theirs = os.openpty()
    try:
        path = Path(os.ttyname(theirs))
        before = path.stat()
        with writing(path) as file:
            file.write(b"new")
        assert os.read(ours, 100) == b"new"
        assert (path.stat().st_ino, path.stat().st_rdev) == (before.st_ino, before.st_rdev)
        assert path.is_char_device()
    finally:
        os.close(ours)
        os.close(theirs)


def test_a_device_stays_a_device(tmp_path: Path) -> None:
    path = _device(tmp_path / "null", "null", 3)
    before = path.lstat()
    with writing(path) as file:
        file.write(b"new")
    assert (path.lstat().st_ino, path.lstat().st_mode) == (before.st_ino, before.st_mode)
    assert path.stat().st_rdev == os.makedev(1, 3)
    assert _only(path)


def test_a_full_device_is_an_error_of_one_line(tmp_path: Path) -> None:
    path = _device(tmp_path / "full", "full", 7)
    for open_, content in ((writing, b"x"), (writing_text, "x")):
        with pytest.raises(OutputError) as failed, open_(path) as file:
            file.write(content)  # type: ignore[arg-type]
        assert str(failed.value) == f"{path} cannot be written: No space left on device; {STEP}"


def test_open_files_are_written_into_and_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "file"
    link = tmp_path / "link"
    for way in ("/dev/fd/{}", "/proc/self/fd/{}", f"/proc/{os.getpid()}/fd/{{}}", "/proc/thread-self/fd/{}"):
        with path.open("wb", buffering=0) as file:
            inode = os.fstat(file.fileno()).st_ino
            file.write(b"first ")
            link.unlink(missing_ok=True)
            link.symlink_to(way.format(file.fileno()))
            for given_, word in ((Path(way.format(file.fileno())), b"second "), (link, b"third")):
                assert is_stream(given_)
                assert not is_stdout(given_)
                with writing(given_) as out:
                    out.write(word)
        assert (path.read_bytes(), path.stat().st_ino) == (b"first second third", inode)
        assert link.is_symlink()


def test_the_open_file_of_another_process_is_written_into(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("wb") as file:
        inode = path.stat().st_ino
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=file)
    with child:
        with writing(Path(f"/proc/{child.pid}/fd/1")) as out:
            out.write(b"new")
        child.communicate(b"\n")
    assert (path.read_bytes(), path.stat().st_ino) == (b"new", inode)


def test_a_closed_descriptor_is_an_error_of_one_line() -> None:
    with pytest.raises(OutputError, match="/dev/fd/987 cannot be written: Bad file descriptor"):  # noqa: SIM117
        with writing(Path("/dev/fd/987")) as file:
            file.write(b"x")


def test_writers_that_seek_write_to_standard_output(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    def picture(path: Path) -> None:
        with writing(path) as file:
            Image.new("RGB", (8, 8), "red").save(file, "PNG")

    def archive(path: Path) -> None:
        with writing(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
            made.writestr(zipfile.ZipInfo("a"), b"x" * 1000)
            with made.open(zipfile.ZipInfo("b"), "w") as member:
                member.write(b"y" * 1000)

    def array(path: Path) -> None:
        with writing(path) as file:
            np.save(file, np.arange(1000), allow_pickle=False)

    def parquet(path: Path) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        with writing(path) as file:
            parquet.write_table(pa.table({"a": [1, 2, 3]}), file)

    def text(path: Path) -> None:
        with writing_text(path) as file:
            file.write("ä\r\nö\n")

    for write in (picture, archive, array, parquet, text):
        write(Path("file"))
        write(Path("-"))
        assert capfdbinary.readouterr().out == Path("file").read_bytes(), write.__name__
    assert Path("file").read_bytes() == "ä\r\nö\n".encode()
    assert sorted(path.name for path in Path.cwd().iterdir()) == ["file"]


ORDER = """
from pathlib import Path
from steamdino.storage.output import writing
print("before")
with writing(Path({path!r})) as file:
    file.write(b"data\\n")
print("after")
"""


FULL = """
import sys
from pathlib import Path
from steamdino.errors import OutputError
from steamdino.storage.output import writing
try:
    with writing(Path("-")) as file:
        file.write(b"data")
except OutputError as error:
    print(error, file=sys.stderr)
"""


@pytest.mark.parametrize("path", ["-", "/dev/stdout", "/proc/self/fd/1"])
def test_standard_output_keeps_the_order_of_what_is_printed(path: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", ORDER.format(path=path)]
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    printed = tmp_path / "printed"
    with printed.open("wb") as file:  # which Python's own buffer holds back longer than a terminal
        file.write(b"first\n")
        file.flush()
        subprocess.run(command, stdout=file, env=environ, check=True, timeout=60)
    assert printed.read_bytes() == b"first\nbefore\ndata\nafter\n"


def test_standard_output_may_be_an_object_in_memory(capsys: pytest.CaptureFixture[str]) -> None:
    with writing(Path("-")) as file:
        file.write(b"data")
    assert capsys.readouterr().out == "data"


def test_a_full_standard_output_is_reported_once_and_not_again_at_exit() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("only Linux has /dev/full")
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    command = [sys.executable, "-c", FULL]
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, env=environ, text=True, timeout=60, check=False
        )
    expected = f"standard output cannot be written: No space left on device; {STEP}\n"
    assert (ended.returncode, ended.stderr) == (0, expected)


def test_a_standard_output_that_accepts_text_only_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    with pytest.raises(OutputError) as failed, writing(Path("-")):
        pass
    assert str(failed.value) == f"standard output cannot be written: it accepts text only; {STEP}"


def test_the_first_descriptor_is_standard_output_also_where_python_prints_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert is_stdout(Path("/dev/fd/1"))
    assert not is_stdout(Path("/dev/fd/2"))


def test_a_closed_standard_output_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(OutputError, match=f"standard output cannot be written: it is closed; {STEP}"):  # noqa: SIM117
        with writing(Path("-")):
            pass


def test_which_paths_are_standard_output(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with capfd.disabled():
        number = sys.__stdout__.fileno() if sys.__stdout__ else 1
        assert number == 1
    assert is_stdout(Path("-"))
    assert not is_stdout(Path("-").absolute())
    assert not is_stdout(tmp_path / "-")
    assert not is_stdout(Path("/dev/null"))
    assert not is_stdout(tmp_path)
    assert not is_stream(tmp_path / "new")
    assert not is_stream(tmp_path)


def test_a_folder_is_replaced_through_a_link_and_keeps_its_permissions(umask: None, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real/site")
    for mask, mode, content in ((0o077, 0o700, "old"), (0o022, 0o700, "new")):
        os.umask(mask)
        with writing_folder(tmp_path / "link") as work:
            (work / content).write_text(content)
        assert (tmp_path / "link").is_symlink()
        site = tmp_path / "real" / "site"
        assert ([one.name for one in site.iterdir()], _mode(site)) == ([content], mode)
        assert _only(site)


def test_a_folder_may_be_named_from_inside_it_or_through_a_link_into_it(tmp_path: Path) -> None:
    for number, way in enumerate(("site/inner/..", "link/..")):
        (tmp_path / "site/inner").mkdir(parents=True, exist_ok=True)
        if number:
            (tmp_path / "link").symlink_to("site/inner")
        with writing_folder(tmp_path / way) as work:
            (work / f"page {number}").touch()
        assert [one.name for one in (tmp_path / "site").iterdir()] == [f"page {number}"]


def test_a_folder_that_fails_leaves_the_old_one(tmp_path: Path) -> None:
    for error in (KeyboardInterrupt, OSError(28, "No space left")):
        with writing_folder(tmp_path / "site") as work:
            (work / "page").write_text("old")
        with pytest.raises((KeyboardInterrupt, OutputError)), writing_folder(tmp_path / "site") as work:
            (work / "page").write_text("half")
            raise error
        assert (tmp_path / "site" / "page").read_text() == "old"
        assert _only(tmp_path / "site")
