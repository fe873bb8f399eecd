from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.environment import ADDED, CLEANED, KEPT, KEPT_PREFIXES

CALLERS = {
    "HF_HUB_OFFLINE": "1",
    "HF_HOME": "/nowhere",
    "AWS_PROFILE": "callers",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "no_proxy": "*",
    "STEAM_API_KEY": "callers",
    "STEAMDINO_GALLERY": "/nowhere",
    "XDG_CACHE_HOME": "/nowhere",
    "PYTHONDONTWRITEBYTECODE": "1",
    "NO_COLOR": "1",
    "COLUMNS": "33",
    "TZ": "Asia/Tokyo",
    "HOME": "/nowhere",
    "LANG": "de_DE",
}
"""Each of these changes what some code does that the tests run."""


def test_a_test_and_its_processes_see_only_what_programs_need_to_run() -> None:
    command = [sys.executable, "-c", "import json, os; print(json.dumps(dict(os.environ)))"]
    started = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    for environ in (dict(os.environ), started):
        # readline, which pytest loads, sets the size of the terminal behind Python's back, for its children alone.
        names = {name for name in environ if not name.startswith(KEPT_PREFIXES)} - {"COLUMNS", "LINES"}
        names -= os.environ.keys() - set(
            os.environ[CLEANED].split()
        )  # set by libraries that other tests have loaded
        assert names <= KEPT | {*ADDED, "LC_CTYPE"}
        assert Path(environ["HOME"]).is_dir()
        assert environ["LANG"] == "C.UTF-8"
    assert not {"COLUMNS", "LINES"} & os.environ.keys()


def test_so_it_is_when_the_caller_has_set_all_sorts_of_variables() -> None:
    assert not CALLERS.keys() & KEPT
    test = f"{__file__}::{test_a_test_and_its_processes_see_only_what_programs_need_to_run.__name__}"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test]
    root = Path(__file__).parent.parent
    done = subprocess.run(
        command, cwd=root, env={**os.environ, **CALLERS}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
