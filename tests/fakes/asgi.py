"""Requests to an app without a server, for what a server in front of it would add."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2 as httpx


def answer_of(app: Any, target: str, *, root_path: str = "") -> httpx.Response:
    """Asks an app that is mounted below a path."""

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app, root_path=root_path)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get(target)

    return asyncio.run(ask())
