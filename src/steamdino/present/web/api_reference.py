"""The API's OpenAPI document as records for a reference page, in the document's order."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from steamdino.present.web.openapi_document import GROUPS, examples

REF = "#/components/schemas/"
FORM, JSON = "multipart/form-data", "application/json"
UPLOADED = "my-draft.png"


@dataclass(frozen=True, slots=True)
class Kind:
    """The type of a value in words, with the schema that it leads to.

    Attributes:
        before, after: words around the schema's name, or all of them.
        schema: a schema's name; empty without one.
    """

    before: str
    schema: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter, or a key of a record.

    Attributes:
        name: its name.
        kind: its type.
        where: "path", "query", "form"; empty for a key.
        required: whether it must be there.
        default: as JSON; empty without one.
        text: what it means.
    """

    name: str
    kind: Kind
    where: str
    required: bool
    default: str
    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: its status, what it means, and the type of its content."""

    status: str
    text: str
    kind: Kind
    media_type: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation; `command` and `answer` are its example."""

    name: str
    method: str
    path: str
    summary: str
    text: str
    fields: tuple[Field, ...]
    replies: tuple[Reply, ...]
    command: str
    answer: str


@dataclass(frozen=True, slots=True)
class Group:
    """Operations that belong together."""

    name: str
    text: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Schema:
    """A record of answers."""

    name: str
    text: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """All that a reference page shows."""

    version: str
    text: str
    groups: tuple[Group, ...]
    schemas: tuple[Schema, ...]


def reference(document: Mapping[str, Any], server: str) -> Reference:
    """Read a document.

    Args:
        document: as `openapi_document` completes it.
        server: the address that the examples ask, without a slash at its end.
    """
    schemas = document["components"]["schemas"]
    operations: dict[str, list[Operation]] = {name: [] for name in GROUPS}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            made = _operation(operation, method.upper(), path, schemas, server)
            operations[operation["tags"][0]].append(made)
    return Reference(
        document["info"]["version"],
        document["info"]["description"],
        tuple(Group(name, text, tuple(operations[name])) for name, text in GROUPS.items()),
        tuple(
            Schema(name, schema.get("description", ""), tuple(_keys(schema)))
            for name, schema in sorted(schemas.items())
            if not name.endswith("Body")
        ),
    )


def _operation(
    operation: Mapping[str, Any], method: str, path: str, schemas: Mapping[str, Any], server: str
) -> Operation:
    name = operation["operationId"]
    fields = [_field(one, one["schema"], one["in"]) for one in operation.get("parameters", ())]
    if "requestBody" in operation:
        form = operation["requestBody"]["content"][FORM]["schema"]
        fields = [*_keys(schemas[form["$ref"].removeprefix(REF)], "form"), *fields]
    replies = tuple(
        Reply(status, answer["description"], *_content(answer))
        for status, answer in operation["responses"].items()
    )
    example = examples().get(name, {"address": path, "upload": False})
    command = f"curl {shlex.quote(server + example['address'].replace(' ', '%20'))}"
    if example["upload"]:
        command += f" -F picture=@{UPLOADED}"
    answer = example.get("answer")
    shown = "" if answer is None else json.dumps(answer, ensure_ascii=False, indent=2)
    text = operation["description"]
    return Operation(name, method, path, operation["summary"], text, tuple(fields), replies, command, shown)


def _content(answer: Mapping[str, Any]) -> tuple[Kind, str]:
    for media_type, content in answer.get("content", {}).items():
        return kind_of(content.get("schema", {})), media_type
    return Kind("no content"), ""


def _keys(schema: Mapping[str, Any], where: str = "") -> Iterator[Field]:
    needed = schema.get("required", ())
    for name, one in schema.get("properties", {}).items():
        yield _field({"name": name, "required": name in needed, **one}, one, where)


def _field(one: Mapping[str, Any], schema: Mapping[str, Any], where: str) -> Field:
    default = schema.get("default")
    return Field(
        one["name"],
        kind_of(schema),
        where,
        one.get("required", False),
        "" if default is None else json.dumps(default, ensure_ascii=False),
        one.get("description", schema.get("description", "")),
    )


def kind_of(schema: Mapping[str, Any]) -> Kind:
    """Say in words what a schema allows."""
    if "$ref" in schema:
        return Kind("", schema["$ref"].removeprefix(REF))
    if "anyOf" in schema:
        parts = [kind_of(one) for one in schema["anyOf"]]
        before = " or ".join(part.before for part in parts if not part.schema)
        linked = [part for part in parts if part.schema]
        if not linked:
            return Kind(before)
        (one,) = linked
        return Kind(one.before, one.schema, f"{one.after} or {before}")
    if "enum" in schema or "const" in schema:
        return Kind(" | ".join(f'"{value}"' for value in schema.get("enum", [schema.get("const")])))
    if schema.get("type") == "array":
        part = kind_of(schema["items"])
        return Kind(f"list of {part.before}", part.schema, part.after)
    if schema.get("type") == "object":
        values = schema.get("additionalProperties")
        part = kind_of(values) if isinstance(values, dict) and values else Kind("any")
        return Kind(f"object of {part.before}", part.schema, part.after)
    words = "bytes" if schema.get("format") == "binary" else schema.get("type", "any")
    return Kind(words + _range(schema))


def _range(schema: Mapping[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is None and high is None:
        return ""
    if high is None:
        return f" from {low}"
    return f" up to {high}" if low is None else f" from {low} to {high}"
