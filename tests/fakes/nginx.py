"""A real nginx in front of a server, with the configuration that is offered to users."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

OFFERED = Path(__file__).parents[2] / "deploy" / "nginx.conf"

_AROUND = """daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 128; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {offered}
}}
"""


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def nginx_before(folder: Path, *servers: str, changes: dict[str, str] | None = None) -> Iterator[str]:
    """Run nginx before servers and yield its address; skip the test without nginx.

    Args:
        folder: for its files.
        servers: their addresses.
        changes: lines of the offered configuration and what to replace them by.
    """
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip("no nginx here; apt-get install nginx-light brings it")
    port, offered = free_port(), OFFERED.read_text()
    upstreams = "\n".join(f"server {urlsplit(one).netloc};" for one in servers)
    replaced = {
        "server server:8000;": upstreams,
        "listen 80;": f"listen 127.0.0.1:{port};",
        **(changes or {}),
    }
    for old, new in replaced.items():
        assert old in offered, old
        offered = offered.replace(old, new)
    folder.mkdir(parents=True, exist_ok=True)
    configuration = folder / "nginx.conf"
    configuration.write_text(_AROUND.format(folder=folder, offered=re.sub(r"(?m)^", "    ", offered)))
    command = [program, "-p", str(folder), "-c", str(configuration)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as child:
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert child.poll() is None, child.stderr and child.stderr.read()
                assert time.monotonic() < deadline
                time.sleep(0.02)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait(30)
