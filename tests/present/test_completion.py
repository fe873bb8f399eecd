"""What shells complete: asked as they ask, and typed into real ones."""

from __future__ import annotations

import os
import runpy
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.conftest import Paint, Run, shared

import steamdino
from steamdino.index.name_folding import fold
from steamdino.present.cli.completion.answer import candidates
from steamdino.present.cli.completion.bash_words import split
from steamdino.present.cli.completion.game_names import as_typed
from steamdino.present.cli.completion.place import place

ROOT = Path(__file__).parents[2]
NAMES = {
    "rain": "Rainproof",
    "rain-2": "Rainproof II",
    "nasty": 'It\'s $HOME "quoted" `date` \\ *',
    "space/ember": "Ember Hollow: Winter",
    "accents": "Élan Vital",
    "730": "Counter: Strike",
}
SHELLS = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}
LOADED = {
    "bash": 'eval "$(steam-dino completion bash)"; bind "set bell-style none"',
    "zsh": 'autoload -U compinit; compinit -u -D; eval "$(steam-dino completion zsh)"',
    "fish": "steam-dino completion fish | source",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, paint: Paint) -> Path:
    """A folder with a gallery of games whose names are hard to complete, and a program to type."""

    def make(folder: Path) -> None:
        rows = []
        for number, (game_id, name) in enumerate(NAMES.items()):
            paint(folder / f"{number}.png", number)
            quoted = name.replace('"', '""')
            tags = '"[""Puzzle"", ""Pixel Graphics""]"' if number else '"[""Platformer""]"'
            rows.append(f'{game_id},"{quoted}",{number}.png,{tags}')
        (folder / "games.csv").write_text("\n".join(["id,name,path,tags", *rows]), "utf-8")
        steamdino.add(folder / "gallery", folder / "games.csv")
        steamdino.build(folder / "gallery")
        program = folder / "bin" / "steam-dino"
        program.parent.mkdir()
        program.write_text(
            '#!/bin/sh\ncase "$1" in\n'
            f'  __complete | completion) exec {shlex.quote(sys.executable)} -m steamdino "$@" ;;\n'
            f'  *) printf "%s\\n" "$@" > ran.part; mv ran.part ran ;;\nesac\n'
        )
        program.chmod(0o755)

    return shared(tmp_path_factory, "completion", make)


@pytest.fixture
def ask(run: Run, home: Path) -> Callable[..., list[str]]:
    """Asks as fish does, and returns the candidates."""

    def ask(*words: str, gallery: Path | None = None) -> list[str]:
        environ = {**os.environ, "STEAMDINO_GALLERY": str(gallery or home / "gallery")}
        done = run("__complete", "fish", "steam-dino", *words, env=environ)
        assert (done.returncode, done.stderr) == (0, "")
        return [line.split("\t")[0] for line in done.stdout.splitlines()[1:]]

    return ask


class Terminal:
    """A shell in a terminal."""

    def __init__(self, child: subprocess.Popen[bytes], folder: Path) -> None:
        assert child.stdin and child.stdout
        self.typed, self.shown = child.stdin.fileno(), child.stdout.fileno()
        os.set_blocking(self.shown, False)
        self.folder, self.seen = folder, ""

    def type(self, text: str) -> None:
        os.write(self.typed, text.encode())

    def wait(self, until: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not until():
            assert time.monotonic() < deadline, self.seen[-2000:]
            try:  # what the shell prints has to be read, or it stops
                self.seen += os.read(self.shown, 65536).decode("utf-8", "replace")
            except BlockingIOError:
                time.sleep(0.01)

    def completed(self, line: str) -> list[str]:
        """Type a line, a tab and a return, and give the arguments that the program then gets."""
        ran = self.folder / "ran"
        ran.unlink(missing_ok=True)
        self.type(f"{line}\t")
        time.sleep(0.05)
        self.type("\n")
        self.wait(ran.exists)
        return ran.read_text("utf-8").splitlines()


@contextmanager
def terminal(shell: str, home: Path, folder: Path) -> Iterator[Terminal]:
    if os.name == "nt":
        pytest.skip("Python has no pseudo-terminals here")
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    environ = {
        **os.environ,
        "PATH": f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "STEAMDINO_GALLERY": str(home / "gallery"),
        "TERM": "xterm",
        "HOME": str(folder),
        "PS1": "$ ",
        "LC_ALL": "C.UTF-8",
    }
    spawn = [sys.executable, "-c", "import pty, sys; pty.spawn(sys.argv[1:])", *SHELLS[shell]]
    pipe = subprocess.PIPE
    with subprocess.Popen(spawn, stdin=pipe, stdout=pipe, cwd=folder, env=environ, bufsize=0) as child:
        try:
            opened = Terminal(child, folder)
            opened.type(f"{LOADED[shell]}; echo loa''ded > loaded\n")
            opened.wait((folder / "loaded").exists)
            yield opened
        finally:
            child.kill()


@pytest.mark.parametrize("shell", SHELLS)
def test_a_real_shell_completes_what_is_typed(shell: str, home: Path, tmp_path: Path) -> None:
    with terminal(shell, home, tmp_path) as opened:
        for line, arguments in (
            ("steam-dino explai", ["explain"]),
            ("steam-dino similar rain --mirr", ["similar", "rain", "--mirror"]),
            ("steam-dino similar rain-", ["similar", "rain-2"]),
            ("steam-dino similar space/e", ["similar", "space/ember"]),
            ("steam-dino similar ember\\ h", ["similar", "ember hollow: Winter"]),
            ('steam-dino similar "Ember Hollow: W', ["similar", "Ember Hollow: Winter"]),
            ("steam-dino similar It", ["similar", NAMES["nasty"]]),
            ("steam-dino similar Él", ["similar", "Élan Vital"]),
            ("steam-dino similar 73", ["similar", "730"]),
            ("steam-dino similar rain --tag=platf", ["similar", "rain", "--tag=platformer"]),
            ("steam-dino similar rain --tag Pix", ["similar", "rain", "--tag", "Pixel graphics"]),
            ("steam-dino similar rain --recipe bund", ["similar", "rain", "--recipe", "bundled"]),
            ("steam-dino models pull clip-vitb3", ["models", "pull", "clip-vitb32"]),
            ('steam-dino similar rain --plus "2*space', ["similar", "rain", "--plus", "2*space/ember"]),
        ):
            assert opened.completed(line) == arguments


@pytest.mark.parametrize("shell", SHELLS)
def test_a_real_shell_completes_files_where_no_game_fits(shell: str, home: Path, tmp_path: Path) -> None:
    (tmp_path / "draft banner.png").touch()
    (tmp_path / "library").mkdir()
    with terminal(shell, home, tmp_path) as opened:
        assert opened.completed("steam-dino similar draf") == ["similar", "draft banner.png"]
        assert opened.completed("steam-dino audit draf") == ["audit", "draft banner.png"]
        assert opened.completed("steam-dino info -g libr") in (
            ["info", "-g", "library/"],
            ["info", "-g", "library"],
        )


def test_commands_and_options_are_completed(ask: Callable[..., list[str]]) -> None:
    assert ask("ex") == ["explain", "export"]
    assert "sheet" in ask("export", "")
    assert ask("similar", "x", "--min-") == ["--min-similarity", "--min-percentile", "--min-reviews"]
    assert "--tag" in ask("similar", "--tag", "a", "--tag", "b", "--ta")  # it may be repeated
    assert ask("similar", "--exact", "--exac") == []
    assert ask("similar", "--", "--exac") == []
    assert ask("build", "--index", "") == ["auto", "exact", "quantised"]
    assert ask("build", "--index=qu") == ["--index=quantised"]
    assert ask("no-such-command", "") == ask("similar", "-k", "") == []


def test_lists_of_ids_are_completed_after_the_last_comma(ask: Callable[..., list[str]]) -> None:
    assert ask("evaluate", "--games", "rain,spa") == ["rain,space/ember"]


def test_games_are_offered_by_id_and_the_others_by_name(ask: Callable[..., list[str]]) -> None:
    assert ask("similar", "rain") == ["rain", "rain-2"]
    assert ask("similar", "Rain") == ["Rainproof", "Rainproof II"]
    assert ask("similar", "elan") == ["elan vital"]
    assert sorted(ask("similar", "")) == sorted(NAMES)
    assert ask("remove", "730") == ["730"]


def test_a_gallery_that_is_not_built_or_not_there_has_no_names(
    ask: Callable[..., list[str]], tmp_path: Path, paint: Paint
) -> None:
    paint(tmp_path / "covers" / "first.png", 1)
    steamdino.add(tmp_path / "gallery", tmp_path / "covers")
    assert ask("remove", "fi", gallery=tmp_path / "gallery") == ["first"]
    assert ask("similar", "fi", gallery=tmp_path / "nothing") == []
    assert ask("similar", "fi", "--tag", "a", gallery=tmp_path / "nothing") == []
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "gallery.sqlite").write_text("not a database")
    assert ask("similar", "fi", gallery=tmp_path / "broken") == []


def test_more_games_than_are_offered_begin_with_what_the_offered_ones_begin_with(tmp_path: Path) -> None:
    from tests.fakes.names import named_games

    from steamdino.present.cli.completion.game_names import games

    with named_games(tmp_path, [f"Aaa {number}" for number in range(50)] + ["Abc"]) as db:
        offered = [value for value, _ in games(db, "A", 10)]
        assert {value[:2].casefold() for value in offered} == {"aa", "ab"}
        assert len(offered) < 15


def test_no_request_loads_what_it_does_not_need(home: Path) -> None:
    code = (
        "import sys; from steamdino.present.cli.completion.answer import answer;"
        "answer(['zsh', 'steam-dino', 'similar', 'rain']); "
        "heavy = {'typer', 'click', 'rich', 'numpy', 'openvino', 'httpx2', 'asyncio'} & set(sys.modules);"
        "sys.exit(' '.join(heavy) or None)"
    )
    environ = {**os.environ, "STEAMDINO_GALLERY": str(home / "gallery")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "rain-2\tRainproof II" in done.stdout


def test_what_completion_knows_of_the_commands_is_up_to_date() -> None:
    generate = runpy.run_path(str(ROOT / "docs/generate.py"))
    known = ROOT / "src/steamdino/present/cli/completion/commands.json"
    assert known.read_text("utf-8") == generate["commands"](), "run: make docs"


def test_an_unknown_shell_is_refused(run: Run) -> None:
    done = run("completion", "tcsh")
    assert (done.returncode, done.stdout) == (2, "")
    assert "'tcsh'" in done.stderr and "bash, zsh, fish" in done.stderr


@given(
    words=st.lists(st.text(st.characters(exclude_characters="\0\n\r", exclude_categories=["Cs"]), min_size=1))
)
@example(words=["it's", 'a "b"', "$x", "\\"])
def test_bash_words_are_split_as_shells_split_them(words: list[str]) -> None:
    line = split(f"{shlex.join(['steam-dino', *words])} ")
    assert line.words == ["steam-dino", *words, ""]


@given(
    value=st.text(st.characters(exclude_characters="\0\n\r", exclude_categories=["Cs", "Cc"]), min_size=1),
    quote=st.sampled_from(["", '"', "'"]),
)
def test_what_is_quoted_for_bash_is_the_value(value: str, quote: str) -> None:
    line = split(f"steam-dino similar {quote}")
    assert split(f"steam-dino similar {quote}{line.quoted(value)}{quote}").words[-1] == value


@given(name=st.text(), typed=st.text(max_size=3))
@example(name="Pokémon: Éclair", typed="pokemon ec")
@example(name="ß", typed="s")
def test_a_completed_name_begins_as_it_was_typed_and_is_found_as_the_name_is(name: str, typed: str) -> None:
    completed = as_typed(typed, name, fold(name))
    if completed is not None:
        assert completed.startswith(typed)
        assert fold(completed) == fold(name)


@given(
    words=st.lists(
        st.text(max_size=8) | st.sampled_from(["similar", "--tag", "-g", "--", "--tag=x"]), min_size=1
    )
)
def test_any_line_has_a_place(words: list[str]) -> None:
    flag, option = {"help": "", "value": None}, {"help": "", "value": []}
    similar = {
        "help": "",
        "options": {"--tag": option, "-g": option, "-f": flag},
        "arguments": [[]],
        "repeated": True,
    }
    program = {"help": "", "options": {"--help": flag}, "commands": {"similar": similar}}
    found = place(program, words)
    assert f"{found.before}{found.typed}" == words[-1]
    assert all(word.startswith(found.typed) for word, _ in candidates(found))
