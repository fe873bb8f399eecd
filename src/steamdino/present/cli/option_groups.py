"""Options that belong together as one parameter of a command: a frozen dataclass whose fields Typer reads.

Typer takes one parameter for each option. A command may instead take a dataclass as a keyword-only parameter:
`register` gives Typer a signature with the fields in its place, and builds the dataclass when the command runs.

Cyclopts has such groups built in. It is not used since its help pages and its messages differ from those that people
know, and this is all of Typer that is missing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import cache, wraps
from typing import Any, get_type_hints

import typer

Command = Callable[..., None]


def register(app: typer.Typer, command: Command, name: str | None = None, page: str | None = None) -> None:
    """Add a command to an app.

    Args:
        app: to add it to.
        command: whose parameters may be dataclasses.
        name: of the command; None for the function's.
        page: its help page; None for the function's docstring.
    """
    app.command(name=name or command.__name__, help=page)(expanded(command))


def expanded(command: Command) -> Command:
    """Return the command with the fields of its dataclasses as parameters.

    Raises:
        TypeError: two parameters have the same name.
    """
    groups: dict[str, tuple[Any, tuple[str, ...]]] = {}
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(command, eval_str=True).parameters.values():
        group = parameter.annotation
        if isinstance(group, type) and is_dataclass(group):
            expansion = _fields(group)
            groups[parameter.name] = (group, tuple(one.name for one in expansion))
            parameters += expansion
        else:
            parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))
    names = [parameter.name for parameter in parameters]
    if len(names) > len(set(names)):
        raise TypeError(f"{command.__name__} has two parameters of one name: {', '.join(names)}")

    @wraps(command)
    def run(**values: Any) -> None:
        made = {
            name: group(**{key: values.pop(key) for key in keys}) for name, (group, keys) in groups.items()
        }
        command(**values, **made)

    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


@cache
def _fields(group: type[Any]) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
            annotation=hints[field.name],
        )
        for field in fields(group)
    ]
