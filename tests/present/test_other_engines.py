"""The page about other engines: its blocks run in order, and the engines answer as steam-dino does."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from tests.test_docs import ROOT, _run_session

from steamdino import Snapshot

PAGE = ROOT / "docs/how-to/other-engines.md"
BLOCK = re.compile(r"^```(console|python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ENGINES = ("duckdb", "lancedb", "qdrant")

ANSWERS = """
import json
asked = (ask_duckdb, lambda query: ask_lancedb(query, refine=10), ask_qdrant)
answers = {query: [ask(query) for ask in asked] for query in expected}
open("answers.json", "w").write(json.dumps(answers))
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_each_engine_gives_ten_queries_the_same_neighbours(
    demo: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    folder = shutil.copytree(demo[0], tmp_path / "reader")
    blocks = BLOCK.findall(PAGE.read_text("utf-8"))
    ran = sum(_run_session(text, folder) for language, text in blocks if language == "console")
    assert ran == 2
    session = "".join(text for language, text in blocks if language == "python")
    shown = "".join(
        text for (before, _), (language, text) in pairwise(blocks) if (before, language) == ("python", "text")
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", session + ANSWERS],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == shown
    assert shown.count("10 of 10 answers are the same") == 4
    # Once more without the page's own comparison.
    snapshot = Snapshot.open(folder / "demo/gallery")
    answers = json.loads((folder / "answers.json").read_text("utf-8"))
    assert len(answers) == 10
    for query, of_engines in answers.items():
        matches = snapshot.similar(query, 10)
        wanted = dict(zip(matches.ids, matches.similarities.tolist(), strict=True))
        for engine, answer in zip(ENGINES, of_engines, strict=True):
            found = dict(answer)
            assert len(answer) == 10, engine
            assert found.keys() == wanted.keys(), (engine, query)
            assert found == pytest.approx(wanted, abs=1e-5), (engine, query)
            assert [score for _, score in answer] == sorted(found.values(), reverse=True)
