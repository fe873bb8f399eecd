"""The API's OpenAPI document: what FastAPI makes of the routes, with names, problems and examples completed.

It is OpenAPI 3.1, and is meant for generators of clients as much as for people: every operation has a name that reads
like a function's, all errors share one schema, and uploads are bytes.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import resources
from typing import Any

from fastapi import FastAPI

from steamdino.present.web.problem_kinds import NOT_FOUND, ProblemModel
from steamdino.present.web.request_etags import CHANGING

EXAMPLES = "api_examples.json"
"""A real request and its answer for each operation; `docs/api_examples.py` asks a server for them."""

GROUPS = {
    "games": "Games, and what the server offers.",
    "matches": "Games that are similar to a game, a picture or words.",
    "lists": "Lists of a whole gallery.",
    "analysis": "Why banners match, and how a draft compares.",
    "banners": "Pictures of banners.",
    "service": "For operators and crawlers.",
    "legacy": "The routes of the original Steam DINO web app.",
}

UNCHANGED = {"description": "The answer is the one with the ETag in `If-None-Match`."}
LINK = {"description": 'The next page: `<address>; rel="next"`.', "schema": {"type": "string"}}
MODEL, BODY = "Model", "Body_"
PROBLEM = {
    "type": NOT_FOUND.type,
    "title": NOT_FOUND.status.phrase,
    "status": int(NOT_FOUND.status),
    "detail": "no game matches 'half-life-4'",
}


class DocumentedApp(FastAPI):
    """A FastAPI app whose OpenAPI document is completed."""

    def openapi(self) -> dict[str, Any]:
        """Return the document; it is made once."""
        if self.openapi_schema is None:
            self.openapi_tags = [{"name": name, "description": text} for name, text in GROUPS.items()]
            self.openapi_schema = completed(super().openapi())
        return self.openapi_schema


@cache
def examples() -> dict[str, Any]:
    """Return the stored examples by operationId."""
    found: dict[str, Any] = json.loads((resources.files("steamdino.present.web") / EXAMPLES).read_bytes())
    return found


def completed(document: dict[str, Any]) -> dict[str, Any]:
    """Complete a document of FastAPI's, which may be changed."""
    schemas = document["components"]["schemas"]
    schemas["ProblemModel"] = {**ProblemModel.model_json_schema(), "examples": [PROBLEM]}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            _complete(operation, path, method)
    return _renamed(document)


def _complete(operation: dict[str, Any], path: str, method: str) -> None:
    """Add to an operation what all of its kind have, and its example."""
    answers = operation["responses"]
    operation["description"] = " ".join(operation["description"].split("\n"))
    answers["200"]["description"] = f"{operation['summary']}."
    if "410" in answers:
        answers["200"]["headers"] = {"Link": LINK}
    if method == "get" and path not in CHANGING:
        answers.setdefault("304", UNCHANGED)
    operation["responses"] = dict(sorted(answers.items()))
    example = examples().get(operation["operationId"])
    if example is None:
        return
    for parameter in operation.get("parameters", ()):
        values = example[parameter["in"]]
        if parameter["name"] in values:
            parameter["example"] = values[parameter["name"]]
    if "answer" in example:
        answers["200"]["content"]["application/json"]["example"] = example["answer"]


def _renamed(document: dict[str, Any]) -> dict[str, Any]:
    """Give schemas the names that clients will have for them: `Game` for `GameModel`."""
    text = json.dumps(document)
    for name in document["components"]["schemas"]:
        better = name.removesuffix(MODEL)
        if name.startswith(BODY):  # FastAPI's name for what a form holds
            operation = name.removeprefix(BODY)
            better = f"{operation[0].upper()}{operation[1:]}Body"
        text = re.sub(rf'(?<=["/]){re.escape(name)}(?=")', better, text)
    found: dict[str, Any] = json.loads(text)
    return found
