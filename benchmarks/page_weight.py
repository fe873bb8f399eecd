"""Count the requests and bytes of pages in Chromium with an empty cache, and compare two versions of the program.

Run it with the folder of a gallery, and name another checkout or virtual environment to compare with:
``python benchmarks/page_weight.py GALLERY [--against ../other]``. A page is scrolled to its end, so that all pictures
are counted. Bytes are those that the browser received, headers included.
"""

from __future__ import annotations

import argparse
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from scale_program import Program

SCREENS: dict[str, dict[str, Any]] = {
    "1280 x 900": {"viewport": {"width": 1280, "height": 900}},
    "360 x 740, 3 pixels per point": {
        "viewport": {"width": 360, "height": 740},
        "device_scale_factor": 3,
        "is_mobile": True,
    },
}
STEPS = 10
"""In which a page is scrolled to its end."""

Weights = dict[tuple[str, str], "Weight"]


@dataclass(frozen=True, slots=True)
class Weight:
    """What a page took.

    Attributes:
        requests: their number.
        received: bytes.
    """

    requests: int
    received: int


def weigh(browser: Any, address: str, screen: dict[str, Any]) -> Weight:
    """Open a page with an empty cache, and scroll to its end."""
    context = browser.new_context(**screen)
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto(address)
    for step in range(1, STEPS + 1):
        page.evaluate(f"scrollTo(0, document.documentElement.scrollHeight * {step / STEPS})")
        page.wait_for_timeout(50)
    page.wait_for_load_state("networkidle")
    context.close()
    return Weight(len(sizes), round(sum(sizes)))


def weights(browser: Any, program: Program, gallery: Path, paths: list[str]) -> Weights:
    """Weigh each page on each screen."""
    with program.serving(gallery, 1) as server:
        return {
            (path, screen): weigh(browser, server.address + path, options)
            for path in paths
            for screen, options in SCREENS.items()
        }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gallery", type=Path)
    parser.add_argument("--game", help="id of the game whose page is opened; by default the gallery's first")
    parser.add_argument("--against", type=Path, help="another version: its checkout or virtual environment")
    given = parser.parse_args()
    programs = [Program.here(), *([Program.of("before", given.against)] if given.against else [])]
    paths = ["/", f"/games/{given.game or _first(given.gallery)}", "/unique", "/picture"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        found = [weights(browser, program, given.gallery, paths) for program in programs]
        browser.close()
    heads = [f"{unit} {program.name}" for program in programs for unit in ("requests", "KB")]
    print(f"| page | screen | {' | '.join(heads)} |")
    print("|---|---|" + "---|" * len(heads))
    for path, screen in found[0]:
        of = [one[path, screen] for one in found]
        cells = [cell for weight in of for cell in (f"{weight.requests}", f"{weight.received / 1000:.0f}")]
        print(f"| {path} | {screen} | {' | '.join(cells)} |")


def _first(gallery: Path) -> str:
    from steamdino import Snapshot

    return Snapshot.open(gallery).ids[0]


if __name__ == "__main__":
    main()
