"""Takes the README's picture: the top of the demo's page in Chromium.

python docs/picture.py demo/alike.html
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

TARGET = Path(__file__).parent / "images" / "alike.jpg"


def main(page_file: Path) -> None:
    """Shoots one section of the page."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1240, "height": 900})
        page.goto(page_file.absolute().as_uri())
        page.locator("section").nth(2).screenshot(path=str(TARGET), type="jpeg", quality=85)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
