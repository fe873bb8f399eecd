"""Build the image of ``deploy/Dockerfile`` without a daemon and without a registry, and run it as compose.yaml does.

    make container      (as root, on Debian; needs buildah, debootstrap and nginx)

The base is a minimal Debian from debootstrap, in place of python:3.13-slim, which has to be pulled. buildah builds the
image. What it starts runs in its root file system, read-only, with a tmpfs at /tmp and a folder at /data, as the
image's user, without capabilities. The image's own health check must agree with /readyz, and nginx with
``deploy/nginx.conf`` must offer the pages below /games/.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.fakes.nginx import free_port, nginx_before  # noqa: E402

BASE, IMAGE = "localhost/debian-python", "localhost/steam-dino"
PACKAGES = "python3,python3-venv,ca-certificates"
ISOLATED = """
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
mount -t tmpfs tmpfs "$1/tmp"
mount -t proc proc "$1/proc"
mount --bind "$2" "$1/data"
mount --bind /dev "$1/dev"
mount -o remount,ro,bind "$1"
shift 2
exec "$@"
"""


class Image:
    """An image in buildah's storage."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.root = Path()
        self.config: dict[str, Any] = {}

    def buildah(self, *arguments: str | Path) -> str:
        """Run buildah with a storage of its own, and return what it prints."""
        storage = (
            "--root",
            self.folder / "storage",
            "--runroot",
            self.folder / "run",
            "--storage-driver",
            "vfs",
        )
        return call("buildah", *storage, *arguments)

    def build(self) -> None:
        """Make the base, and build the image on it."""
        base = self.folder / "base"
        if not base.exists():
            print("debootstrap: a minimal Debian with Python", flush=True)
            call("debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", base)
        if BASE not in self.buildah("images"):
            call("tar", "-C", base, "-cf", self.folder / "base.tar", ".")
            container = self.buildah("from", "scratch").strip()
            self.buildah("add", container, self.folder / "base.tar", "/")
            self.buildah("commit", "--rm", container, BASE)
        # The certificates and names of this machine, through which it may reach the package index.
        same = [f"--volume={path}:{path}:ro" for path in ("/etc/ssl/certs", "/etc/hosts")]
        options = (
            "--isolation",
            "chroot",
            "--format",
            "docker",
            "--pull-never",
            "--build-arg",
            f"BASE={BASE}",
        )
        print("buildah: deploy/Dockerfile", flush=True)
        self.buildah("bud", *options, *same, "-f", ROOT / "deploy/Dockerfile", "-t", IMAGE, ROOT)
        self.config = json.loads(self.buildah("inspect", "--type", "image", IMAGE))["Docker"]["config"]
        container = self.buildah("from", "--pull-never", IMAGE).strip()
        self.root = Path(self.buildah("mount", container).strip())
        size = call("du", "-sm", self.root).split()[0]
        print(
            f"{IMAGE}: {size} MB, user {self.config['User']}, volumes {list(self.config['Volumes'])}",
            flush=True,
        )
        user = int(self.config["User"])
        self.data.mkdir(exist_ok=True)
        os.chown(self.data, user, user)

    def command(self, *arguments: str) -> list[str]:
        """What runs a command as the image's user, in its file system, read-only."""
        user, environ = self.config["User"], self.config["Env"]
        entered = f"cd {self.config['WorkingDir']} && exec {shlex.join(arguments)}"
        rights = (
            f"--reuid={user}",
            f"--regid={user}",
            "--clear-groups",
            "--no-new-privs",
            "--bounding-set=-all",
        )
        chroot = [
            "chroot",
            str(self.root),
            "setpriv",
            *rights,
            "env",
            "-i",
            *environ,
            "HOME=/home/steam-dino",
        ]
        isolated = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ISOLATED, "sh"]
        return [*isolated, str(self.root), str(self.data), *chroot, "sh", "-c", entered]

    def program(self, *arguments: str) -> list[str]:
        """What runs the image's program."""
        return self.command(*self.config["Entrypoint"], *arguments)


def call(*command: str | Path, fails: bool = False) -> str:
    """Run a command and return what it prints; end with its output if it does not end as expected."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if bool(done.returncode) != fails:
        sys.exit(f"{shlex.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def fetch(address: str) -> str:
    """What is at an address."""
    with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310
        return str(answer.read().decode())


def check_isolation(image: Image) -> None:
    """Check that the program runs as nobody of importance, and can write where it must, and nowhere else."""
    print(call(*image.command("sh", "-c", "id -u; grep CapEff /proc/self/status")).split())
    for path in ("/opt/steam-dino/x", "/home/steam-dino/x", "/etc/x", "/x"):
        assert re.search("Read-only|denied", call(*image.command("touch", path), fails=True)), path
    call(*image.command("touch", "/tmp/x", "/data/x"))  # noqa: S108
    print("The root file system is read-only; /tmp and /data are not.")


def main() -> None:
    """Build, run and ask."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="steam-dino-image-"))
    image = Image(folder)
    image.build()
    check_isolation(image)
    print(call(*image.program("--version")).strip())
    call(*image.program("demo", "/data/demo", "--no-open"))
    port = free_port()
    service = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())["services"]["server"]
    assert service["read_only"] and service["tmpfs"] == ["/tmp"] and service["volumes"] == ["data:/data"]  # noqa: S108
    replaced = {"--gallery": "/data/demo/gallery", "--port": str(port), "--trusted-proxies": "127.0.0.1"}
    options = [one for one in service["command"] if one.partition("=")[0] not in replaced]
    options += [f"{name}={value}" for name, value in replaced.items()]
    health = [one.replace(":8000", f":{port}") for one in image.config["Healthcheck"]["Test"][1:]]
    call(*image.command(*health), fails=True)  # nothing is served yet
    with subprocess.Popen(image.program(*options)) as server:
        try:
            deadline = time.monotonic() + 300
            while True:
                try:
                    print(f"/readyz: {fetch(f'http://127.0.0.1:{port}/readyz').strip()}")
                    break
                except urllib.error.URLError:
                    assert server.poll() is None and time.monotonic() < deadline, "the server is not ready"
                    time.sleep(0.1)
            call(*image.command(*health))
            print("The health check agrees, before and after the start.")
            with nginx_before(folder / f"nginx-{port}", f"http://127.0.0.1:{port}") as proxy:
                page = fetch(f"{proxy}/games/games/rainproof")
                assert "Rainproof Artbook" in page and 'href="/games/' in page
                assert "rainproof-artbook" in fetch(f"{proxy}/games/api/v1/games/rainproof/similar?k=1")
                print("nginx offers its pages and its API below /games/.")
            owner = call("ps", "-eo", "user:20,args")
            assert not re.search(
                rf"^root\s+/opt/steam-dino/bin/python.*--port={port}", owner, re.MULTILINE
            ), owner
        finally:
            server.kill()  # unshare ignores a request to end; --kill-child ends what it has started
    print("It works.")


if __name__ == "__main__":
    main()
