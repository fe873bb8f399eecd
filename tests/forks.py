"""Processes of the command line that need not import it: a process that has imported it forks for each of them.

So a command takes a tenth of the time, and is a whole process all the same: with an environment, a folder, descriptors,
signals and an exit status of its own. Where the system cannot fork safely, or where other modules are to be imported, a
command is a new interpreter.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import steamdino
from steamdino.features.runtimes.openvino_loading import without_telemetry

LARGEST = 1 << 20
"""Bytes of a request, which has the whole environment."""

UNBUFFERED = "PYTHONUNBUFFERED"

PROGRAM = (sys.executable, "-m", "steamdino")
PACKAGES = (
    *("analysis", "banners", "catalogue", "gallery", "index", "net", "pipeline", "search", "storage"),
    *("present.cli", "present.export"),
)
LIBRARIES = (
    "openvino",
    "pydantic",
    "typer.main",
    "jinja2",
    "PIL.JpegImagePlugin",
    "PIL.PngImagePlugin",
    "rapidfuzz",
)
"""What most commands import. None of these starts threads, which a fork would not have."""


class Process:
    """A running command; of `subprocess.Popen`, it has what the tests use."""

    def __init__(self, pid: int, status: socket.socket, streams: list[int | None]) -> None:
        self.pid, self.returncode = pid, None
        self._status = status
        self.stdin = None if streams[0] is None else os.fdopen(streams[0], "w", encoding="utf-8")
        self.stdout, self.stderr = (
            None if stream is None else os.fdopen(stream, encoding="utf-8") for stream in streams[1:]
        )
        self._texts: dict[str, str] = {}
        self._readers: list[threading.Thread] = []

    returncode: int | None

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (self.stdin, self.stdout, self.stderr):
            if stream is not None:
                stream.close()
        self.wait()

    def poll(self) -> int | None:
        return self._waited(0)

    def wait(self, timeout: float | None = None) -> int:
        code = self._waited(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(list(PROGRAM), timeout or 0)
        return code

    def _waited(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._status], [], [], timeout)[0]:
            told = self._status.recv(64)
            assert told, "the process that forks has ended"
            self.returncode = int(told)
            self._status.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def communicate(
        self, input: str | None = None, timeout: float | None = None
    ) -> tuple[str | None, str | None]:
        """The output and the messages. If it takes longer than `timeout`, nothing is lost: call it again."""
        until = None if timeout is None else time.monotonic() + timeout
        if not self._readers:
            for name in ("stdout", "stderr"):
                if (stream := getattr(self, name)) is not None:
                    self._readers.append(
                        threading.Thread(target=self._read, args=(name, stream), daemon=True)
                    )
                    self._readers[-1].start()
            if self.stdin is not None:
                with suppress(BrokenPipeError), self.stdin:  # it need not read it
                    self.stdin.write(input or "")
        for reader in self._readers:
            reader.join(None if until is None else max(until - time.monotonic(), 0))
            if reader.is_alive():
                raise subprocess.TimeoutExpired(list(PROGRAM), timeout or 0)
        self.wait(None if until is None else max(until - time.monotonic(), 0))
        return self._texts.get("stdout"), self._texts.get("stderr")

    def _read(self, name: str, stream: Any) -> None:
        with stream:
            self._texts[name] = stream.read()


Command = Process | subprocess.Popen[str]


class Server:
    """The process that forks, which starts at the first command."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def close(self) -> None:
        """Ends it."""
        if self._control is not None and self._process is not None:
            self._control.close()
            self._process.wait(60)
            self._control = self._process = None

    def send(self, request: Mapping[str, Any], descriptors: list[int]) -> None:
        """Has it fork."""
        with self._lock:
            if self._control is None:
                self._start()
            assert self._control is not None
            socket.send_fds(self._control, [json.dumps(request).encode()], descriptors)

    def _start(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LARGEST)
        path = [str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", "from tests.forks import main; main()", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
            )


server = Server()
"""The one that the tests of a process share."""


def start(
    *arguments: object,
    env: Mapping[str, str] | None = None,
    cwd: Path | str | None = None,
    stdin: int | None = None,
    stdout: int | None = subprocess.PIPE,
    stderr: int | None = subprocess.PIPE,
) -> Command:
    """Starts a command. Its streams are as in `subprocess`; pipes are of text."""
    environ = dict(os.environ if env is None else env)
    words = list(map(str, arguments))
    if sys.platform != "linux" or _python(environ) != _python(os.environ):
        return subprocess.Popen(
            [*PROGRAM, *words], env=environ, cwd=cwd, stdin=stdin, stdout=stdout, stderr=stderr, text=True
        )
    theirs, ours = _streams(stdin, stdout, stderr)
    umask = os.umask(0)
    os.umask(umask)
    request = {"arguments": words, "environ": environ, "cwd": str(cwd or Path.cwd()), "umask": umask}
    status, their_status = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with their_status:
        server.send(request, [*theirs, their_status.fileno()])
    for descriptor in set(theirs) - {0, 1, 2, stdin, stdout, stderr}:
        os.close(descriptor)
    return Process(int(status.recv(64)), status, ours)


def run(
    *arguments: object,
    env: Mapping[str, str] | None = None,
    cwd: Path | str | None = None,
    input: str | None = None,
    timeout: float = 120,
) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end."""
    stdin = None if input is None else subprocess.PIPE
    with start(*arguments, env=env, cwd=cwd, stdin=stdin) as process:
        try:
            output, messages = process.communicate(input, timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return subprocess.CompletedProcess(
        [*PROGRAM, *map(str, arguments)], process.returncode or 0, output, messages
    )


def _python(environ: Mapping[str, str]) -> dict[str, str]:
    """What decides which modules Python imports, and how."""
    return {
        name: value for name, value in environ.items() if name.startswith("PYTHON") and name != UNBUFFERED
    }


def _streams(*wanted: int | None) -> tuple[list[int], list[int | None]]:
    """The ends of a command's three streams that the command gets, and the ends that stay here."""
    theirs, ours = [], []
    for number, one in enumerate(wanted):
        end, here = number if one is None else one, None
        if one == subprocess.PIPE:
            end, here = os.pipe() if number == 0 else reversed(os.pipe())
        elif one == subprocess.DEVNULL:
            end = os.open(os.devnull, os.O_RDWR)
        elif one == subprocess.STDOUT:
            end = theirs[1]
        theirs.append(end)
        ours.append(here)
    return theirs, ours


def serve(control: socket.socket) -> bool:
    """Forks for each request, until there are no more. Returns whether this is a fork, which is to run its command."""
    for name in PACKAGES:
        package = import_module(f"steamdino.{name}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            import_module(module.name)
    with without_telemetry():  # which would start a thread and a process
        for name in LIBRARIES:
            import_module(name)
    native, known = len(list(Path("/proc/self/task").iterdir())), threading.active_count()
    assert native == known, f"{native - known} threads besides Python's would be missing in a fork"
    gc.collect()
    gc.freeze()  # or each fork would copy the memory of all that was imported, when it looks through it at its end
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    running: dict[int, socket.socket] = {}
    while True:
        ready, _, _ = select.select([control, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            for pid, code in _ended():
                if pid not in running:  # a library's own
                    continue
                with running.pop(pid) as status, suppress(OSError):  # nobody waits for it any more
                    status.send(str(code).encode())
        if control in ready:
            message, descriptors, _, _ = socket.recv_fds(control, LARGEST, 4)
            if not message:
                return False
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for closed in (control, *running.values()):
                    closed.close()
                for closed in (woken, wake, descriptors.pop()):
                    os.close(closed)
                _become(json.loads(message), descriptors)
                return True
            running[pid] = socket.socket(fileno=descriptors.pop())
            running[pid].send(str(pid).encode())
            for descriptor in descriptors:
                os.close(descriptor)


def _ended() -> list[tuple[int, int]]:
    found = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        found.append((pid, os.waitstatus_to_exitcode(status)))


def _become(request: dict[str, Any], descriptors: list[int]) -> None:
    """Makes this process what a new one would be."""
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(request["environ"])
    os.chdir(request["cwd"])
    os.umask(request["umask"])
    time.tzset()
    tempfile.tempdir = None
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        mode, errors = (
            ("r", "strict") if number == 0 else ("w", "backslashreplace" if number == 2 else "strict")
        )
        stream = os.fdopen(number, mode, encoding="utf-8", errors=errors, closefd=False)
        stream.reconfigure(line_buffering=number == 2 or stream.isatty() or UNBUFFERED in os.environ)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    sys.argv = [str(Path(steamdino.__file__).with_name("__main__.py")), *request["arguments"]]


def main() -> None:
    """Forks for the requests that come through a socket, whose descriptor is the first argument."""
    if not serve(socket.socket(fileno=int(sys.argv[1]))):
        return
    from steamdino.present.cli.entry import run

    try:
        run()
    except SystemExit as end:
        # What Python does at its end, but for taking apart all that was imported, which a fork would copy for that.
        threading._shutdown()
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        if isinstance(end.code, int):
            os._exit(end.code)
        raise
