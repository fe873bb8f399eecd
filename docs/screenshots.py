"""Take the pictures of the real page and the real terminal that the documentation shows.

    python docs/screenshots.py

It draws the fictional store in a temporary folder, serves it, opens it in Chromium, and types a session in a terminal.
"""

from __future__ import annotations

import io
import os
import pty
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from rich.console import Console
from rich.text import Text

IMAGES = Path(__file__).parent / "images"
PROGRAM = [sys.executable, "-m", "steamdino"]
GALLERY = ("-g", "demo/gallery")
SESSION = (
    ("similar", "rainproof", "-k", "5", *GALLERY),
    ("explain", "rainproof", "rainproof-after-hours", *GALLERY, "-o", "why.png"),
)
PAGES = {
    "page-game": "games/rainproof",
    "page-duplicates": "duplicates",
}
WIDTH, HEIGHT, COLUMNS = 1100, 900, 84


def main() -> None:
    """Take all pictures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([*PROGRAM, "demo", "--no-open"], cwd=folder, check=True, capture_output=True)
        subprocess.run([*PROGRAM, "duplicates", *GALLERY], cwd=folder, check=True, capture_output=True)
        terminal(folder)
        with served(folder) as address:
            pages(address)


def terminal(folder: Path) -> None:
    """Run the session in a pseudo-terminal, and draw what it shows."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    for command in SESSION:
        console.print(f"$ steam-dino {' '.join(command)}", highlight=False, style="bold")
        console.print(Text.from_ansi(in_terminal(command, folder)))
    # Without the fonts that Rich names, which a reader's browser would load from somebody's server.
    drawn = re.sub(r"@font-face \{.*?\}\s*", "", console.export_svg(title="steam-dino"), flags=re.DOTALL)
    (IMAGES / "terminal.svg").write_text(drawn, "utf-8")


def in_terminal(command: tuple[str, ...], folder: Path) -> str:
    """What a command writes to a terminal."""
    ours, its = pty.openpty()
    environ = {**os.environ, "COLUMNS": str(COLUMNS), "TERM": "xterm-256color"}
    with subprocess.Popen(
        [*PROGRAM, *command, "--no-pictures"], cwd=folder, env=environ, stdout=its, stderr=subprocess.DEVNULL
    ):
        os.close(its)
        written = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            written += part
    os.close(ours)
    return written.decode().replace("\r\n", "\n").rstrip("\n")


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve the gallery, and yield the server's address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}/"
    with subprocess.Popen(
        [*PROGRAM, "serve", *GALLERY, "--port", str(port)], cwd=folder, stderr=subprocess.DEVNULL
    ) as child:
        try:
            for _ in range(300):
                try:
                    urllib.request.urlopen(f"{address}readyz")  # noqa: S310
                    break
                except urllib.error.URLError:
                    time.sleep(0.1)
            yield address
        finally:
            child.terminate()


def pages(address: str) -> None:
    """Photograph the pages in Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for name, path in PAGES.items():
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
            page.goto(f"{address}{path}", wait_until="networkidle")
            Image.open(io.BytesIO(page.screenshot())).convert("RGB").save(
                IMAGES / f"{name}.webp", quality=80, method=6
            )
        browser.close()


if __name__ == "__main__":
    main()
