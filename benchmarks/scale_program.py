"""A steam-dino to measure: its commands, each a process whose time and memory are measured, and its server.

Memory is anonymous memory (RssAnon), which a process shares with no other and no file backs. It is that of a command
with all processes that it started, sampled every few milliseconds.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

FORM = (
    b'--x\r\nContent-Disposition: form-data; name="picture"; filename="x.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    b"%b\r\n--x--\r\n"
)
HERE = Path(__file__).resolve().parent
SAMPLED = 0.005
"""Seconds between two looks at the memory of a process."""
START, LONGEST = 300.0, 7200.0
"""Seconds that a server may take to start, and a command to end."""


class MeasureError(Exception):
    """A figure that could not be measured, and why."""


class SkippedError(Exception):
    """A figure that was not asked for, and what to give to have it measured."""


@dataclass(frozen=True)
class Run:
    """A command that ended.

    Attributes:
        seconds: how long it took.
        megabytes: the most memory of its own that it had at a time.
        output: what it printed to stdout.
    """

    seconds: float
    megabytes: float
    output: str

    @property
    def figures(self) -> dict[str, float]:
        """The seconds and the megabytes, as they are written to files."""
        return {"seconds": round(self.seconds, 2), "megabytes": round(self.megabytes, 1)}


@dataclass(frozen=True)
class Server:
    """A running `steam-dino serve`."""

    port: int
    pid: int

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def get(
        self, path: str, seconds: float = 120, *, picture: bytes | None = None
    ) -> tuple[int, float, bytes, str]:
        """Ask for a path; return the status, milliseconds, the body and its media type.

        Args:
            path: with its query.
            seconds: how long to wait.
            picture: a JPEG that is sent with POST, as a form does; None for GET.

        Raises:
            MeasureError: there is no answer.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        started = time.perf_counter()
        try:
            if picture is None:
                connection.request("GET", path)
            else:
                connection.request(
                    "POST", path, FORM % picture, {"content-type": "multipart/form-data; boundary=x"}
                )
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise MeasureError(f"{path} got no answer: {error!r}") from None
        finally:
            connection.close()
        took = 1000 * (time.perf_counter() - started)
        return answer.status, took, body, answer.headers.get("content-type", "")

    def megabytes(self) -> float:
        """Return the memory of the worker that has the most."""
        return max(own_megabytes(pid) for pid in family(self.pid))


@dataclass(frozen=True)
class Program:
    """One version of the program.

    Attributes:
        name: "before" or "now".
        python: its interpreter.
        source: the folder of its package; None if it is installed.
    """

    name: str
    python: Path
    source: Path | None

    @classmethod
    def of(cls, name: str, path: Path) -> Program:
        """Return the program of a virtual environment, or of a checkout, which this Python runs.

        Raises:
            SystemExit: there is none.
        """
        if (path / "bin/python").exists():
            return cls(name, (path / "bin/python").absolute(), None)
        for source in (path / "src", path):
            if (source / "steamdino/__init__.py").is_file():
                return cls(name, Path(sys.executable), source.resolve())
        raise SystemExit(
            f"{path} is neither a virtual environment nor a checkout of steam-dino; name another folder"
        )

    @classmethod
    def here(cls) -> Program:
        """Return the program beside these benchmarks."""
        return cls.of("now", HERE.parent)

    def environment(self, *, benchmarks: bool = False) -> dict[str, str]:
        """Return the environment of its processes, without settings of this machine's user."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("STEAMDINO_") and k != "PYTHONPATH"}
        paths = [str(one) for one in (self.source, HERE if benchmarks else None) if one]
        return {**kept, "PYTHONPATH": os.pathsep.join(paths), "COLUMNS": "100"}

    def command(self, *arguments: str | Path, accepted: tuple[int, ...] = (0,)) -> Run:
        """Run a command of the program to its end.

        Args:
            arguments: those after `steam-dino`.
            accepted: exit codes that are no failure.

        Raises:
            MeasureError: it failed, or took more than two hours.
        """
        return self._run(["-m", "steamdino", *map(str, arguments)], self.environment(), accepted)

    def script(self, name: str, *arguments: str | Path | float, one_thread: bool = False) -> Run:
        """Run a script of this folder with the program's package, as `command` does.

        Args:
            name: of the script.
            arguments: of the script.
            one_thread: let NumPy use one thread, as `serve` does.
        """
        environment = self.environment(benchmarks=True)
        if one_thread:
            environment |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        return self._run([str(HERE / name), *map(str, arguments)], environment, (0,))

    def _run(self, arguments: list[str], environment: dict[str, str], accepted: tuple[int, ...]) -> Run:
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
            started = time.perf_counter()
            with _process([str(self.python), *arguments], environment, out, errors) as process:
                most = 0.0
                while process.poll() is None:
                    most = max(most, sum(map(own_megabytes, family(process.pid))))
                    if time.perf_counter() - started > LONGEST:
                        raise MeasureError(f"took more than {LONGEST / 3600:.0f} hours")
                    time.sleep(SAMPLED)
                seconds = time.perf_counter() - started
            out.seek(0)
            errors.seek(0)
            if process.returncode not in accepted:
                lines = errors.read().decode(errors="replace").strip().splitlines() or ["no message"]
                raise MeasureError(
                    f"{' '.join(arguments[:3])} exited with {process.returncode}: {lines[-1].strip()}"
                )
            return Run(seconds, most, out.read().decode(errors="replace"))

    @contextmanager
    def serving(self, gallery: Path, workers: int) -> Iterator[Server]:
        """Serve a gallery without a limit on requests until the block ends.

        Raises:
            MeasureError: the server does not start.
        """
        port = _free_port()
        command = [str(self.python), "-m", "steamdino", "serve", "-g", str(gallery), "--rate", "0"]
        command += ["--port", str(port), "--workers", str(workers)]
        with (
            tempfile.TemporaryFile() as log,
            _process(command, self.environment(), log, log) as process,
        ):
            server, end = Server(port, process.pid), time.perf_counter() + START
            while not _ready(server):
                if process.poll() is not None or time.perf_counter() > end:
                    log.seek(0)
                    raise MeasureError(
                        f"the server did not start: {log.read()[-500:].decode(errors='replace')}"
                    )
                time.sleep(0.02)
            yield server


def own_megabytes(pid: int) -> float:
    """Return the memory of a process's own; 0 if it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text("utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return int(status.partition("RssAnon:")[2].split()[0]) / 1024 if "RssAnon:" in status else 0.0


def family(pid: int) -> list[int]:
    """Return a process and all that it started and that are there."""
    found = [pid]
    for parent in found:
        try:
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


@contextmanager
def _process(
    command: list[str], environment: dict[str, str], out: object, errors: object
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in a process group of its own, which is over when the block ends."""
    process = subprocess.Popen(
        command,
        env=environment,
        cwd=tempfile.gettempdir(),
        stdin=subprocess.DEVNULL,
        stdout=out,  # type: ignore[call-overload]
        stderr=errors,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _ready(server: Server) -> bool:
    try:
        return server.get("/readyz", 5)[0] == 200
    except MeasureError:
        return False


def _free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        port: int = tried.getsockname()[1]
        return port
