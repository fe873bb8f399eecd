"""Answers GET and HEAD requests from the routes that FastAPI has, without FastAPI's work for each request.

FastAPI finds the route, resolves dependencies and validates parameters anew each time, which takes longer than many
searches. Here a route's declaration is compiled once, so that parameters are declared in one place: the signature of
the route's function and those of its dependencies. A request that does not fit them is passed on to FastAPI, which
answers it with its own errors. So is every request to a route that uses anything else: a body, headers, cookies, or a
dependency that is a generator.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, get_type_hints

from fastapi import Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from steamdino.errors import SteamDinoError
from steamdino.present.web import error_responses
from steamdino.present.web.compiled_call import CompiledCall, NotCompilableError
from steamdino.present.web.root_path import own_path


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A GET route.

    Attributes:
        number: its position among all routes; the first one that fits a path answers.
        route: FastAPI's.
        call: its function; None if FastAPI has to answer.
    """

    number: int
    route: APIRoute
    call: CompiledCall | None

    def path_parameters(self, path: str) -> dict[str, Any] | None:
        """Return the values in a path; None if it is not the route's."""
        found = self.route.path_regex.match(path)
        if found is None:
            return None
        convertors = self.route.param_convertors
        return {name: convertors[name].convert(text) for name, text in found.groupdict().items()}


class CompiledRoutes:
    """ASGI middleware that answers what it can of an app's GET routes, and passes on everything else.

    HEAD is answered like GET, without the body.
    """

    def __init__(self, app: ASGIApp, *, routes: Iterable[APIRoute]) -> None:
        """Compile routes.

        Args:
            app: answers everything else.
            routes: all routes of the app in their order.
        """
        self._app = app
        self._fixed: dict[str, _Compiled] = {}
        self._by_folder: dict[str, list[_Compiled]] = {}
        for number, route in enumerate(routes):
            if "GET" in (route.methods or ()):
                compiled = _Compiled(number, route, _compiled(route))
                if route.param_convertors:
                    self._by_folder.setdefault(_folder(route.path), []).append(compiled)
                else:
                    self._fixed.setdefault(route.path, compiled)

    def _find(self, path: str) -> tuple[_Compiled, dict[str, Any]] | None:
        """Return the first route that fits a path, with the values in it; None if there is none."""
        fixed = self._fixed.get(path)
        for one in self._by_folder.get(_folder(path), ()):
            if fixed is not None and fixed.number < one.number:
                break
            values = one.path_parameters(path)
            if values is not None:
                return one, values
        return None if fixed is None else (fixed, {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        ours = scope["type"] == "http" and scope["method"] in ("GET", "HEAD")
        found = self._find(own_path(scope)) if ours else None
        if found is None:
            await self._app(scope, receive, send)
            return
        compiled, path = found
        scope["route"] = compiled.route  # for the middleware that counts requests
        if scope["method"] == "HEAD":
            scope, send = {**scope, "method": "GET"}, _without_body(send)
        response = await _response(compiled.call, Request(scope, receive), path) if compiled.call else None
        await (response or self._app)(scope, receive, send)


async def _response(call: CompiledCall, request: Request, path: dict[str, Any]) -> Response | None:
    """Return the answer to a request; None if it does not fit the route's declaration."""
    try:
        arguments = call.arguments(request, path)
    except ValidationError:
        return None
    if arguments is None:
        return None
    request.scope["path_params"] = path
    try:
        found: Response = await call(arguments)
    except (SteamDinoError, HTTPException) as error:
        return error_responses.of_error(request, error)
    return found


def _compiled(route: APIRoute) -> CompiledCall | None:
    """Compile a route; None if FastAPI has to answer its requests."""
    returned = get_type_hints(route.endpoint).get("return")
    if route.dependencies or not (isinstance(returned, type) and issubclass(returned, Response)):
        return None
    try:
        return CompiledCall(route.endpoint, route.param_convertors)
    except NotCompilableError:
        return None


def _folder(path: str) -> str:
    """Return the first part of a path."""
    return path[1:].partition("/")[0]


def _without_body(send: Send) -> Callable[[Message], Awaitable[None]]:
    async def sending(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return sending
