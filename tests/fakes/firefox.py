"""Firefox as people have it, driven by WebDriver BiDi, which it speaks itself.

Playwright drives builds of its own only, and would need them downloaded.
"""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
HOW = "no Firefox here; apt-get install firefox-esr brings it"
SECONDS = 60
LISTENS = re.compile(r"WebDriver BiDi listening on (ws://\S+)")


class FirefoxPage:
    """One tab: what it asked for and what it complained of are noted in `requests` and `complaints`."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._call("session.new", capabilities={})
        self._tab = self._call("browsingContext.getTree")["contexts"][0]["context"]
        self._call("session.subscribe", events=["network.beforeRequestSent", "log.entryAdded"])

    def goto(self, address: str) -> None:
        self._call("browsingContext.navigate", context=self._tab, url=address, wait="complete")

    def resize(self, width: int, height: int) -> None:
        size = {"width": width, "height": height}
        self._call("browsingContext.setViewport", context=self._tab, viewport=size)

    def evaluate(self, expression: str) -> Any:
        """The value of an expression, or of the promise that it is, by way of JSON."""
        found = self._call(
            "script.evaluate",
            expression=f"Promise.resolve({expression}).then((value) => JSON.stringify(value ?? null))",
            target={"context": self._tab},
            awaitPromise=True,
        )
        assert found["type"] == "success", found
        return json.loads(found["result"]["value"])

    def run(self, script: str) -> None:
        """Run statements, such as a library's."""
        found = self._call(
            "script.evaluate", expression=script, target={"context": self._tab}, awaitPromise=False
        )
        assert found["type"] == "success", found

    def wait(self, condition: str) -> None:
        deadline = time.monotonic() + SECONDS
        while not self.evaluate(f"Boolean({condition})"):
            assert time.monotonic() < deadline, (condition, self.complaints)
            time.sleep(0.05)

    def choose_file(self, selector: str, path: Path) -> None:
        """Set the file of an input, as if a person had chosen it."""
        locator = {"type": "css", "value": selector}
        nodes = self._call("browsingContext.locateNodes", context=self._tab, locator=locator)["nodes"]
        element = {"sharedId": nodes[0]["sharedId"]}
        self._call("input.setFiles", context=self._tab, element=element, files=[str(path)])

    def _call(self, method: str, **parameters: Any) -> Any:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(timeout=SECONDS))
            if message.get("type") == "event":
                self._note(message)
            elif message.get("id") == number:
                assert message["type"] == "success", message
                return message["result"]

    def _note(self, message: Mapping[str, Any]) -> None:
        parameters = message["params"]
        if message["method"] == "network.beforeRequestSent":
            self.requests.append(parameters["request"]["url"])
        elif parameters["level"] in ("error", "warn"):
            self.complaints.append(parameters["text"])


@contextmanager
def firefox_page(profile: Path, preferences: Mapping[str, Any] | None = None) -> Iterator[FirefoxPage]:
    """Start Firefox without a window.

    Args:
        profile: an empty folder for its profile.
        preferences: as in about:config.
    """
    quiet = {
        "app.update.enabled": False,
        "browser.startup.homepage": "about:blank",
        "datareporting.policy.dataSubmissionEnabled": False,
        "toolkit.telemetry.enabled": False,
        "network.captive-portal-service.enabled": False,
        "network.connectivity-service.enabled": False,
    }
    lines = [
        f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
        for name, value in {**quiet, **(preferences or {})}.items()
    ]
    (profile / "user.js").write_text("".join(lines), "utf-8")
    log = profile / "stderr.txt"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [
                str(FIREFOX),
                "--headless",
                "--no-remote",
                "--profile",
                str(profile),
                "--remote-debugging-port=0",
            ],
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )
    try:
        with connect(f"{_address(process, log)}/session", max_size=None) as socket:
            yield FirefoxPage(socket)
    except WebSocketException as error:
        raise AssertionError(f"Firefox hung up: {log.read_text()[-2000:]}") from error
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if found := LISTENS.search(log.read_text("utf-8", "replace")):
            return found[1]
        assert process.poll() is None, log.read_text("utf-8", "replace")
        time.sleep(0.05)
    raise AssertionError(f"Firefox does not listen: {log.read_text('utf-8', 'replace')}")
