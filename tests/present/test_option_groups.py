"""Dataclasses as parameters of commands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from steamdino.errors import UsageError
from steamdino.present.cli.main import app_of
from steamdino.present.cli.option_groups import expanded, register
from steamdino.present.cli.options import GalleryOptions
from steamdino.present.cli.output_options import OutputOptions, PageOutputOptions


@dataclass(frozen=True, slots=True)
class Place:
    """Options of two kinds, one of them required."""

    folder: Annotated[Path, typer.Option("--folder", metavar="DIR", help="Where it lies.")]
    tag: Annotated[list[str] | None, typer.Option("--tag", help="Give it again for more.")] = None


@dataclass(frozen=True, slots=True)
class Remote(Place):
    """The same with one more, and another default."""

    tag: Annotated[list[str] | None, typer.Option("--label", help="Its other name.")] = None
    port: Annotated[int, typer.Option("--port", "-p")] = 80


@pytest.fixture
def ran() -> list[Any]:
    return []


@pytest.fixture
def app(ran: list[Any]) -> typer.Typer:
    def local(name: str, *, place: Place, k: Annotated[int, typer.Option("-k")] = 10) -> None:
        """Look near."""
        ran.append((name, place, k))

    def remote(*, first: Annotated[bool, typer.Option("--first")] = False, place: Remote) -> None:
        """Look far."""
        ran.append((first, place))

    made = typer.Typer()
    register(made, local)
    register(made, remote, "far", "Look *far*.")
    return made


def test_a_command_gets_its_groups_built_from_the_options(app: typer.Typer, ran: list[Any]) -> None:
    done = CliRunner().invoke(app, ["local", "x", "--tag", "a", "--tag", "b", "--folder", "f", "-k", "3"])
    assert done.exit_code == 0, done.output
    assert ran == [("x", Place(Path("f"), ["a", "b"]), 3)]


def test_what_is_not_given_has_the_default_of_the_field(app: typer.Typer, ran: list[Any]) -> None:
    assert CliRunner().invoke(app, ["far", "--folder", "f"]).exit_code == 0
    assert ran == [(False, Remote(Path("f"), None, 80))]


def test_a_field_without_a_default_is_required(app: typer.Typer, ran: list[Any]) -> None:
    done = CliRunner().invoke(app, ["local", "x"])
    assert (done.exit_code, "--folder" in done.output) == (2, True)
    assert ran == []


def test_a_group_derived_from_another_redeclares_an_option_in_its_place(
    app: typer.Typer, ran: list[Any]
) -> None:
    done = CliRunner().invoke(app, ["far", "--folder", "f", "--label", "a", "-p", "8080"])
    assert done.exit_code == 0, done.output
    assert ran == [(False, Remote(Path("f"), ["a"], 8080))]
    assert CliRunner().invoke(app, ["far", "--folder", "f", "--tag", "a"]).exit_code == 2


def test_help_shows_options_in_the_order_of_parameters_and_fields(app: typer.Typer) -> None:
    shown = CliRunner().invoke(app, ["far", "--help"]).output
    places = [shown.index(option) for option in ("Look", "--first", "--folder", "--label", "--port")]
    assert places == sorted(places)


def test_two_parameters_of_one_name_are_refused() -> None:
    def command(*, folder: str, place: Place) -> None:
        raise AssertionError

    with pytest.raises(TypeError, match="command has two parameters of one name: folder, folder, tag"):
        expanded(command)


def test_a_format_that_does_not_exist_is_refused_by_the_group() -> None:
    with pytest.raises(UsageError, match="--format is 'csv'; it must be one of: table, json"):
        OutputOptions("csv")
    with pytest.raises(UsageError, match="--format json and --html both write to standard output"):
        PageOutputOptions("json", Path("-")).check()


def test_a_gallery_comes_from_the_flag_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEAMDINO_GALLERY", "elsewhere")
    assert GalleryOptions().folder == Path("elsewhere")
    assert GalleryOptions(Path("here")).folder == Path("here")
    assert GalleryOptions().settings(precision="bf16").inference_precision == "bf16"


def test_each_command_with_a_gallery_declares_it_alike() -> None:
    command = typer.main.get_command(app_of([]))
    found = [
        (tuple(parameter.opts), parameter.help)
        for one in command.commands.values()  # type: ignore[attr-defined]
        for parameter in one.params
        if parameter.name == "gallery"
    ]
    assert len(found) > 10
    assert len(set(found)) == 1


def test_a_default_of_0_that_means_no_limit_is_not_shown_as_0() -> None:
    def options(command: Any, path: str = "") -> Iterator[tuple[str, Any]]:
        for name, child in getattr(command, "commands", {}).items():
            yield from options(child, f"{path} {name}".strip())
        for parameter in command.params:
            yield path, parameter

    shown = {
        (path, parameter.name)
        for path, parameter in options(typer.main.get_command(app_of([])))
        if parameter.default == 0 and not isinstance(parameter.default, bool) and parameter.show_default
    }
    assert shown == {("evaluate", "seed")}  # a number like any other
