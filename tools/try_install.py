"""Installs a wheel or an sdist into an empty environment and tries it, as somebody would who has nothing else.

The installer may use the network for the package index. The program may not: on Linux it runs in a network namespace
that has a loopback device and nothing more. For each extra, a feature is tried before and after: before, the message
must name a command; that very command is run; then the feature must work, or fail for another reason where it needs
what is not there, such as a server.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import venv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

OFFLINE = [
    "unshare",
    "--user",
    "--map-root-user",
    "--net",
    "sh",
    "-c",
    'ip link set lo up && exec "$@"',
    "sh",
]
LIMIT = 600
"""Seconds for a command."""

GALLERY = ("-g", "demo/gallery")
DRAW = """
import sys
from PIL import Image
if sys.argv[1] == "heic":
    import pillow_heif
    pillow_heif.register_heif_opener()
else:
    import pillow_jxl
Image.linear_gradient("L").convert("RGB").resize((300, 450)).save(f"covers/cover.{sys.argv[1]}")
"""


@dataclass(frozen=True)
class Trial:
    """A feature that needs an extra.

    Attributes:
        command: arguments of the program.
        works: what the program prints when the extra is there: a pattern.
        environ: of the program.
        fails: whether it ends with an error for want of something else than the extra.
    """

    command: tuple[str, ...]
    works: str
    environ: tuple[tuple[str, str], ...] = ()
    fails: bool = False


NOWHERE = (
    ("AWS_ACCESS_KEY_ID", "nobody"),
    ("AWS_SECRET_ACCESS_KEY", "none"),
    ("AWS_REGION", "nowhere"),
    ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
)
TRIALS = {
    "parquet": Trial(("export", "parquet", "--all", *GALLERY, "-o", "matches.parquet"), r"matches\.parquet"),
    "lance": Trial(("export", "lance", *GALLERY, "-o", "games.lance"), "476 games"),
    "plot": Trial(("evaluate", *GALLERY, "--copies", "5", "--plot", "plot.svg"), "bundled"),
    "map": Trial(("map", *GALLERY, "-o", "map.png"), r"map\.png"),
    "hub": Trial(("models", "pull", "dino-vits16"), "HF_HUB_OFFLINE", (("HF_HUB_OFFLINE", "1"),), fails=True),
    "objects": Trial(
        ("add", "s3://bucket/covers", "-g", "other"), r"127\.0\.0\.1:9|s3://bucket", NOWHERE, fails=True
    ),
    "profiles": Trial(
        ("add", "s3://bucket/covers", "-g", "other"),
        "nobody-has-this",
        (("AWS_PROFILE", "nobody-has-this"),),
        fails=True,
    ),
    "quantize": Trial(
        ("models", "quantize", "bundled", *GALLERY, "--samples", "24"), "loses too much in 8 bits", fails=True
    ),
    "ray": Trial(
        ("build", *GALLERY, "--recipe", "bundled/raw", "--engine", "ray", "--actors", "1"),
        "476 games are ready",
    ),
    "torch": Trial(
        ("build", *GALLERY, "--recipe", "bundled/fit", "--device", "cuda"), "CUDA|cuda", fails=True
    ),
}


@dataclass(frozen=True)
class Environment:
    """An empty environment with the program, and a folder to run it in."""

    folder: Path
    kind: str

    @classmethod
    def make(cls, folder: Path, file: Path) -> Environment:
        """Install a file."""
        print(f"Installing {file.name} into an empty environment", flush=True)
        venv.create(folder / "env", with_pip=True)
        (folder / "work").mkdir()
        made = cls(folder, "wheel" if file.suffix == ".whl" else "sdist")
        made._install(f"pip install {shlex.quote(str(file))}")
        return made

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self._bin / ("python.exe" if os.name == "nt" else "python")

    @property
    def _bin(self) -> Path:
        return self.folder / "env" / ("Scripts" if os.name == "nt" else "bin")

    def try_program(self) -> None:
        """Try what needs no extra."""
        version = self._run("--version").stdout
        assert f"Installed from: {self.kind} " in version, version
        assert "Extras: none" in version, version
        print(version.strip())
        printed = self._run("demo", "--no-open").stdout
        assert "alike.html" in printed, printed
        assert "Rainproof Artbook" in self._run("similar", "rainproof", *GALLERY, "-k", "1").stdout
        code = "from steamdino import Snapshot; print(Snapshot.open('demo/gallery').similar('rainproof', k=1)[0].id)"
        assert self._call([str(self.python), "-c", code]).stdout == "rainproof-artbook\n"
        print(f"The demo works from the {self.kind}, offline.", flush=True)

    def try_extras(self, wanted: str) -> None:
        """Try extras, one after another.

        Args:
            wanted: their names, separated by commas, or "all".
        """
        for name in [*TRIALS, "formats", "web"] if wanted == "all" else wanted.split(","):
            started = time.monotonic()
            if name == "web":
                self._try_serving()
            elif name == "formats":
                self._try_formats()
            else:
                self._try(name, TRIALS[name])
            print(f"extra {name}: works ({time.monotonic() - started:.0f} s)", flush=True)
        known = json.loads(self._run("info", "--json", *GALLERY).stdout)["program"]
        assert wanted != "all" or known["missing_extras"] == {}, known
        print(f"Extras there: {', '.join(known['extras'])}")

    def try_notebook(self, notebook: Path) -> None:
        """Run a notebook from top to bottom, with what Colab has and steam-dino has not."""
        self._install("pip install ipykernel matplotlib nbclient")
        run = (
            "import sys, nbformat; from nbclient import NotebookClient\n"
            "notebook = nbformat.read(sys.argv[1], 4)\n"
            "NotebookClient(notebook, kernel_name='python3', timeout=300).execute()\n"
            "cells = [cell for cell in notebook.cells if cell.cell_type == 'code']\n"
            "pictures = sum('image/png' in output.get('data', {}) for cell in cells for output in cell.outputs)\n"
            "print(len(cells), 'cells ran,', pictures, 'pictures')\n"
        )
        print(self._call([str(self.python), "-c", run, str(notebook)]).stdout.strip(), flush=True)

    def _try(self, extra: str, trial: Trial) -> None:
        environ = dict(trial.environ)
        self._install_as_told(extra, self._run(*trial.command, fails=True, **environ).stderr)
        done = self._run(*trial.command, fails=trial.fails, **environ)
        assert re.search(trial.works, done.stdout + done.stderr), done
        assert "install" not in done.stderr, done.stderr

    def _try_formats(self) -> None:
        covers = self.folder / "work" / "covers"
        covers.mkdir()
        (covers / "cover.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
        (covers / "cover.jxl").write_bytes(b"\xff\x0a")
        told = self._run("add", "covers", "-g", "covered", fails=None)
        self._install_as_told("formats", told.stdout + told.stderr)
        for suffix in ("heic", "jxl"):
            self._call([str(self.python), "-c", DRAW, suffix])
        printed = self._run("add", "covers", "-g", "covered").stdout
        assert "2 new" in printed, printed

    def _try_serving(self) -> None:
        self._install_as_told("web", self._run("serve", *GALLERY, fails=True).stderr)
        # The server and who asks it share a network that nobody else is in.
        ask = (
            "import json, subprocess, sys, time, urllib.request as r\n"
            "server = subprocess.Popen([sys.argv[1], 'serve', '-g', 'demo/gallery', '--port', '8765'])\n"
            "try:\n"
            "    for _ in range(300):\n"
            "        try:\n"
            "            print(r.urlopen('http://127.0.0.1:8765/readyz', timeout=5).read().decode())\n"
            "            break\n"
            "        except OSError:\n"
            "            time.sleep(0.1)\n"
            "    found = json.load(r.urlopen('http://127.0.0.1:8765/api/v1/games/rainproof/similar?k=1', timeout=30))\n"
            "    print(json.dumps(found))\n"
            "finally:\n"
            "    server.terminate(); server.wait(30)\n"
        )
        done = self._call([str(self.python), "-c", ask, str(self._bin / "steam-dino")])
        assert "ready" in done.stdout and "rainproof-artbook" in done.stdout, done

    def _install_as_told(self, extra: str, message: str) -> None:
        """Run the command that a message ends with."""
        told = re.search(
            r"run: (.*install .*?)\.?$", message.strip().replace(". Convert", "\n"), re.MULTILINE
        )
        assert told, f"no command for {extra} in: {message}"
        assert self.kind in ("wheel", "sdist") and f"[{extra}]" in told[1], message
        self._install(told[1])

    def _install(self, command: str) -> None:
        """Run an installer, with the network. Its command is split as a shell does it, and run in this environment."""
        environ = {**self._environ(), "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_QUIET": "1"}
        self._done(shlex.split(command, posix=os.name != "nt"), environ, fails=False)

    def _run(
        self, *arguments: str, fails: bool | None = False, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        return self._call([str(self._bin / "steam-dino"), *arguments], fails, **environ)

    def _call(
        self, command: list[str], fails: bool | None = False, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        offline = OFFLINE if _can_be_cut_off() else []
        return self._done([*offline, *command], {**self._environ(), **environ}, fails)

    def _done(
        self, command: list[str], environ: dict[str, str], fails: bool | None
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command,
            cwd=self.folder / "work",
            env=environ,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        if fails is not None and bool(done.returncode) != fails:
            sys.exit(f"{shlex.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    def _environ(self) -> dict[str, str]:
        """An environment as if this one had been activated, with a home of its own and no setting of the caller's."""
        settings = ("STEAMDINO_", "PYTHON", "AWS_", "HF_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(settings)}
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        path = f"{self._bin}{os.pathsep}{os.environ['PATH']}"
        return {
            **kept,
            "HOME": str(home),
            "PATH": path,
            "VIRTUAL_ENV": str(self.folder / "env"),
            "COLUMNS": "200",
        }


@cache
def _can_be_cut_off() -> bool:
    """Whether a process can get a network of its own here."""
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        return False
    return subprocess.run([*OFFLINE, "true"], capture_output=True, check=False).returncode == 0
