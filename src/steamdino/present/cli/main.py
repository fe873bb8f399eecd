"""The command `steam-dino`: its sub-commands, and how it reports errors."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import Annotated, Any, NoReturn

import typer

from steamdino.errors import SteamDinoError
from steamdino.present.cli.console import note, say
from steamdino.present.cli.option_groups import register
from steamdino.present.display_text import invalid_value, printable

# Depending on its version, Typer uses its own click or the installed one; its public error class shows which.
_CommandError: type[Exception] = typer.BadParameter.__mro__[2]  # click's ClickException

INTERRUPTED = 130  # what shells report for Ctrl-C

COMMANDS = {
    "demo": "demo:demo",
    "sync": "sync:sync",
    "add": "add:add",
    "build": "build:build",
    "check": "check:check",
    "similar": "similar:similar",
    "text": "text:text",
    "unique": "unique:unique",
    "duplicates": "duplicates:duplicates",
    "changes": "changes:changes",
    "explain": "explain:explain",
    "audit": "audit:audit",
    "map": "map:map_",
    "serve": "serve:serve",
    "evaluate": "evaluate:evaluate",
    "train": "train:train",
    "info": "info:info",
    "doctor": "doctor:doctor",
    "remove": "housekeeping:remove",
    "prune": "housekeeping:prune",
    "pack": "housekeeping:pack",
    "publish": "publish:publish",
    "completion": "completion_script:completion",
}
"""The module and the function of each command, in the order of the help page."""

GROUPS = {"export": "export_commands", "models": "models"}
"""The module of each group of commands, whose `app` it is."""


def app_of(arguments: Sequence[str]) -> typer.Typer:
    """Return the app with only the command that the first argument names; with all commands if it names none.

    A search takes less time than importing all other commands and preparing their options.
    """
    named = {*arguments[:1]} & {*COMMANDS, *GROUPS} or {*COMMANDS, *GROUPS}
    app = typer.Typer(
        name="steam-dino",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    app.callback()(main)
    for name, home in COMMANDS.items():
        if name in named:
            module, _, function = home.partition(":")
            register(app, getattr(_module(module), function), name)
    for name, module in GROUPS.items():
        if name in named:
            app.add_typer(_module(module).app, name=name)
    return app


def _module(name: str) -> ModuleType:
    return import_module(f"steamdino.present.cli.{name}")


def _print_version(wanted: bool) -> None:
    if wanted:
        from steamdino.present.cli.program import as_lines

        say("\n".join(map(printable, as_lines())))
        raise typer.Exit


def main(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Print the version, where it was installed from, and its extras.",
        ),
    ] = False,
) -> None:
    """Find game banners that look alike, and how alike they are.

    Add pictures to a gallery, build it, and search by id, by name, or with a picture of your own.

    **Try it** (works offline):

        steam-dino demo

    **With your own pictures:**

        steam-dino add covers/
        steam-dino build

        steam-dino similar "the name of a game"

    Exit codes: 0 success, 1 failure or unusable input, 2 usage error, 3 an export answers for a name near the one that
    was given, 130 interrupted.
    """


def run() -> NoReturn:
    """Run the command line and exit. Every error that a user can cause is one line on stderr."""
    signal.signal(signal.SIGTERM, _interrupt)  # end as on Ctrl-C
    sys.exit(_exit_code())


def _exit_code() -> int:
    if sys.stderr is None:
        # Also occupies the closed descriptor, which the next file that is opened would get.
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115
    if sys.stdout is None:
        return _fail("standard output is closed; send it to a file, or to /dev/null", 1)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(
                errors="backslashreplace"
            )  # a character that the terminal lacks must not end the run
    try:
        code = app_of(sys.argv[1:])(prog_name="steam-dino", standalone_mode=False)
        sys.stdout.flush()
    except SteamDinoError as error:
        return _fail(str(error), error.exit_code)
    except _CommandError as error:
        return _refuse(error)
    except (KeyboardInterrupt, typer.Abort):
        return _fail("stopped; everything saved before is kept", INTERRUPTED)
    except BrokenPipeError:
        _abandon_stdout()
        return 0
    except SystemExit as end:
        if not isinstance(end.__context__, BrokenPipeError):
            raise
        _abandon_stdout()  # Typer saw it first
        return 0
    except OSError as error:
        return _fail(f"{error.filename or 'input or output'}: {error.strerror or error}", 1)
    return code if isinstance(code, int) else 0


def _refuse(error: Any) -> int:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "steam-dino"
    if hasattr(error.__cause__, "errors"):  # Typer converts values with pydantic, or with click
        error.message = invalid_value(error.__cause__.errors()[0])
    message = error.format_message().strip().rstrip(".").replace(". Did you mean", "; did you mean")
    if not message:  # a command without arguments: its help was printed
        return 2
    end = " See" if message.endswith("?") else "; see"
    return _fail(f"{message[0].lower()}{message[1:]}{end}: {command} --help", 2)


def _fail(message: str, code: int) -> int:
    note(f"steam-dino: {printable(message)}")
    return code


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _abandon_stdout() -> None:
    """Keep Python from complaining at exit that the reader of its output has left, as `| head` does."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
