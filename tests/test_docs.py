"""Every session and every Python block of the documentation runs, in order, as a reader would type it."""

from __future__ import annotations

import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests import forks

ROOT = Path(__file__).parents[1]
HOW_TO = (
    "install",
    "own-pictures",
    "tables",
    "clean-a-library",
    "keep-a-gallery",
    "evaluate",
    "explore",
    "changes",
    "export",
    "words",
)
FIRST = ("README.md", "docs/tutorial.md", "docs/use-cases.md", "docs/reference/python.md")
PAGES = (*FIRST, *(f"docs/how-to/{name}.md" for name in HOW_TO))
BLOCK = re.compile(r"^```(console|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WROTE = (
    "atlas.js",
    "decoding.js",
    "names.js",
    "navigation.js",
    "network.js",
    "offline.js",
    "own.js",
    "part.js",
    "picture.js",
    "place.js",
    "resize.js",
    "site.js",
    "suggestions.js",
    "sw.js",
    "theme.js",
    "vectors.js",
    "words.js",
    "worker.js",
)
"""Scripts of our own."""
NUMBER = re.compile(r"-?\d+\.\d+")
TOLERANCE = 0.02  # of shown cosines: another CPU rounds differently


SHELL = re.compile(r"[|&;<>()$`\\*?\[#~={]")
"""What a shell does more with than to split words."""


def _shell(command: str, folder: Path) -> tuple[int, list[str]]:
    # As on a terminal, output and messages come in the order in which they are written.
    environ = {**os.environ, "COLUMNS": "80", forks.UNBUFFERED: "1"}
    if command.startswith("steam-dino ") and not SHELL.search(command):
        arguments = shlex.split(command)[1:]
        with forks.start(*arguments, env=environ, cwd=folder, stderr=subprocess.STDOUT) as process:
            output, _ = process.communicate(timeout=240)
        return process.wait(), [line.rstrip() for line in (output or "").splitlines()]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-c", command],  # the page's own text, as a reader's shell would run it
        cwd=folder,
        env={**environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
        check=False,
    )
    return done.returncode, [line.rstrip() for line in done.stdout.splitlines()]


def _alike(shown: str, printed: str) -> bool:
    def words(line: str) -> list[str]:
        return NUMBER.sub("#", line).split()

    numbers = zip(NUMBER.findall(shown), NUMBER.findall(printed), strict=False)
    return words(shown) == words(printed) and all(abs(float(a) - float(b)) <= TOLERANCE for a, b in numbers)


def _fits(shown: list[str], printed: list[str]) -> bool:
    """Whether what was printed is what the page shows, where "..." stands for any lines."""
    if not shown:
        return not printed
    if shown[0] == "...":
        return any(_fits(shown[1:], printed[start:]) for start in range(len(printed) + 1))
    return bool(printed) and _alike(shown[0], printed[0]) and _fits(shown[1:], printed[1:])


def _session(text: str) -> list[tuple[str, list[str]]]:
    commands: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            commands.append((line[2:], []))
        else:
            commands[-1][1].append(line.rstrip())
    return commands


def _run_session(text: str, folder: Path) -> int:
    code, ran = 0, 0
    session = _session(text)
    for position, (command, shown) in enumerate(session):
        if command == "steam-dino demo":
            ran += 1  # the fixture has typed it, once for all pages
            continue
        if command == "echo $?":
            assert shown == [str(code)]
            continue
        code, printed = _shell(command, folder)
        told = [following for following, _ in session[position + 1 : position + 2]]
        assert code == 0 or told == ["echo $?"], "\n".join(printed)
        assert _fits(shown, printed), f"$ {command}\n" + "\n".join(printed)
        ran += 1
    return ran


@pytest.mark.quick_cases(2)
@pytest.mark.parametrize("name", PAGES)
def test_what_a_page_tells_to_type_does_what_it_shows(
    name: str,
    demo: tuple[Path, subprocess.CompletedProcess[str]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    # Each page has a reader of its own. What SQLite keeps beside a database belongs to another test that reads it.
    folder = shutil.copytree(demo[0], tmp_path / "reader", ignore=shutil.ignore_patterns("*.sqlite-*"))
    monkeypatch.chdir(folder)
    blocks = BLOCK.findall((ROOT / name).read_text("utf-8"))
    assert blocks
    for language, text in blocks:
        if language == "console":
            assert _run_session(text, folder)
        else:
            script = tmp_path / "block.py"
            script.write_text(text)
            runpy.run_path(str(script))


@pytest.mark.slow
def test_the_reference_of_the_command_line_is_up_to_date() -> None:
    generate = runpy.run_path(str(ROOT / "docs/generate.py"))
    assert (ROOT / "docs/reference/cli.md").read_text("utf-8") == generate["page"](), "run: make docs"


def test_a_changed_output_would_be_noticed() -> None:
    assert _fits(["a", "...", "x 0.50"], ["a", "b", "c", "x  0.51"])
    assert not _fits(["x 0.50"], ["x 0.60"])
    assert not _fits(["a"], ["a", "b"])
    assert not _fits(["a", "..."], ["b"])


def test_every_link_to_a_file_leads_somewhere() -> None:
    links = 0
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"
                links += 1
    assert links > 5


def test_every_target_that_the_readme_names_exists() -> None:
    targets = re.findall(r"^make ([a-z]+)", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    assert "demo" in targets
    for target in targets:
        subprocess.run(["make", "-n", target], cwd=ROOT, check=True, capture_output=True)


def test_third_party_lists_what_is_shipped() -> None:
    import hashlib

    text = (ROOT / "THIRD_PARTY.md").read_text("utf-8")
    shipped = [
        p for p in (ROOT / "src").rglob("*") if p.suffix in (".onnx", ".npz", ".js", ".ttf", ".otf", ".woff2")
    ]
    shipped = [path for path in shipped if path.name not in WROTE]
    assert shipped
    for path in shipped:
        assert path.relative_to(ROOT).as_posix() in text
        assert hashlib.sha256(path.read_bytes()).hexdigest() in text
