"""Compiles the signature of a route's function into a parser of requests."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_origin, get_type_hints

from fastapi import Request, params
from fastapi.concurrency import run_in_threadpool
from pydantic import TypeAdapter
from pydantic.fields import FieldInfo


class NotCompilableError(Exception):
    """A function uses what only FastAPI can do."""


@dataclass(frozen=True, slots=True)
class _Parameter:
    """One parameter of a function, from the path or the query.

    Attributes:
        name: the function's name for it.
        alias: the request's name for it.
        many: whether it may be given several times.
        required: whether the function has no default for it.
        validate: returns the value, or raises a ValidationError.
    """

    name: str
    alias: str
    many: bool
    required: bool
    validate: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Arguments:
    """Validated arguments of a call; those that its dependencies return are still to be computed."""

    values: dict[str, Any]
    dependencies: list[tuple[str, CompiledCall, Arguments]]


class CompiledCall:
    """A route's function or a dependency, and where its arguments come from."""

    def __init__(self, function: Callable[..., Any], in_path: Container[str]) -> None:
        """Compile a function.

        Args:
            function: it takes a request, parameters of the path and the query, and what functions of that kind return.
            in_path: the names of the path's parameters.

        Raises:
            NotCompilableError: FastAPI has to call it.
        """
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise NotCompilableError
        self._function = function
        self._is_async = inspect.iscoroutinefunction(function)
        self._request: str | None = None
        self._path: list[_Parameter] = []
        self._query: list[_Parameter] = []
        self._dependencies: list[tuple[str, CompiledCall]] = []
        hints = get_type_hints(function, include_extras=True)
        for name, parameter in inspect.signature(function).parameters.items():
            if hints[name] is Request:
                self._request = name
            else:
                self._add(name, hints[name], parameter.default, in_path)

    def _add(self, name: str, hint: Any, default: Any, in_path: Container[str]) -> None:
        if isinstance(default, FieldInfo | params.Depends):
            raise NotCompilableError  # it declares the parameter, and is not what the function should get
        required = default is inspect.Parameter.empty
        kind = _source(hint) or (params.Path() if name in in_path else params.Query())
        if type(kind) is params.Depends and kind.dependency and required:
            self._dependencies.append((name, CompiledCall(kind.dependency, in_path)))
        elif isinstance(kind, params.Query | params.Path):
            made = _Parameter(
                name, kind.alias or name, _is_list(hint), required, TypeAdapter(hint).validate_python
            )
            (self._query if isinstance(kind, params.Query) else self._path).append(made)
        else:
            raise NotCompilableError

    def arguments(self, request: Request, path: Mapping[str, Any]) -> Arguments | None:
        """Validate all parameters of a request, of the function and of its dependencies.

        Args:
            request: its query counts.
            path: the values in its path.

        Returns:
            None if a required parameter is missing.

        Raises:
            ValidationError: a value is invalid.
        """
        values = {one.name: one.validate(path[one.alias]) for one in self._path}
        given = request.query_params if request.scope["query_string"] else {}
        for one in self._query:
            if one.alias in given:
                values[one.name] = one.validate(
                    request.query_params.getlist(one.alias) if one.many else given[one.alias]
                )
            elif one.required:
                return None
        if self._request is not None:
            values[self._request] = request
        dependencies = []
        for name, call in self._dependencies:
            if (arguments := call.arguments(request, path)) is None:
                return None
            dependencies.append((name, call, arguments))
        return Arguments(values, dependencies)

    async def __call__(self, arguments: Arguments) -> Any:
        """Call the dependencies in order, then the function: in a thread if it is not async."""
        values = arguments.values
        for name, call, others in arguments.dependencies:
            values[name] = await call(others)
        if self._is_async:
            return await self._function(**values)
        return await run_in_threadpool(self._function, **values)


def _source(hint: Any) -> FieldInfo | params.Depends | None:
    """Return what an annotation says about where a value comes from."""
    metadata = getattr(hint, "__metadata__", ())
    found = [one for one in metadata if isinstance(one, FieldInfo | params.Depends)]
    if len(found) > 1:
        raise NotCompilableError
    return found[0] if found else None


def _is_list(hint: Any) -> bool:
    """Return whether a type, which may be annotated or optional, is a list."""
    return get_origin(hint) is list or any(map(_is_list, get_args(hint)))
