"""The OpenAPI document of the HTTP interface, made of the table of operations."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ..forms import answer_form

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..operations import Operation

BASE: Final = "/v1"
ACTOR_PARAMETER: Final = "actor"

ROWS_MAX: Final = 10_000
"""Rows of a query whose answer is JSON."""

_REFERENCE: Final = "#/components/schemas/{name}"

FAULTS: Final = {
    "400": "The request cannot be read.",
    "401": "The token is missing, or another one.",
    "403": "The token's role does not reach so far, or a page of another site asks.",
    "404": "This system has no such operation, or no such actor.",
    "405": "This changes something: POST is wanted.",
    "408": "The request did not come in time.",
    "409": "The actor refused; the body says why.",
    "413": "The body is too large.",
    "422": "An argument is unknown, missing, of another type or out of its range.",
    "429": "Too many wrong tokens, or too much at once.",
    "431": "The address or the headers are too long.",
    "502": "The actor failed at it.",
    "503": "The actor is down.",
    "504": "No answer in time; it may still be done.",
}


class Error(msgspec.Struct, frozen=True):
    """Why there is no answer."""

    error: str


def document(operations: Iterable[Operation]) -> dict[str, Any]:
    """Return it."""
    operations = tuple(operations)
    forms = {
        form: None for operation in operations for form in (operation.http_form, *map(answer_form, operation.answers))
    }
    # A type may be one's request and in another's answer: each has a name of its own.
    schemas, components = msgspec.json.schema_components([*forms, Error], ref_template=_REFERENCE)
    schema_of = dict(zip([*forms, Error], schemas, strict=True))
    for operation in operations:
        arguments = components[schema_of[operation.http_form]["$ref"].rpartition("/")[2]]
        arguments["properties"] = {
            name: _as_here(name, schema) for name, schema in arguments.get("properties", {}).items()
        }
    return {
        "openapi": "3.1.0",
        "info": {"title": "natya", "version": version("natya"), "description": "Operations of a running system."},
        "servers": [{"url": BASE}],
        "security": [{"token": []}],
        "paths": {f"/{each.name}": _path(each, schema_of) for each in operations},
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _path(operation: Operation, schema_of: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    arguments = schema_of[operation.http_form]
    answered, *refused = (schema_of[answer_form(each)] for each in operation.answers)
    fault = {"application/json": {"schema": schema_of[Error]}}
    responses: dict[str, Any] = {
        "200": {"description": "Done.", "content": {"application/json": {"schema": answered}}},
        **{code: {"description": text, "content": fault} for code, text in FAULTS.items()},
    }
    if refused:
        responses["409"]["content"] = {"application/json": {"schema": {"anyOf": refused}}}
    described = {
        "summary": operation.summary,
        "description": f"Role: {operation.role_told}.",
        "tags": [operation.role],
        "responses": responses,
        **({"parameters": [_of_any_actor(operation)]} if operation.of_any_actor else {}),
    }
    post = {
        **described,
        "operationId": operation.method,
        "requestBody": {
            "required": any(field.required for field in msgspec.structs.fields(operation.http_form)),
            "content": {"application/json": {"schema": arguments}},
        },
    }
    if operation.role != "read":
        return {"post": post}
    parameters = [
        {"name": field.name, "in": "query", "required": field.required, "schema": _schema_of_field(operation, field)}
        for field in msgspec.structs.fields(operation.http_form)
    ]
    get = {
        **described,
        "operationId": f"get_{operation.method}",
        "parameters": [*described.get("parameters", ()), *parameters],
    }
    return {"get": get, "post": post}


def _of_any_actor(operation: Operation) -> dict[str, Any]:
    return {
        "name": ACTOR_PARAMETER,
        "in": "query",
        "required": False,
        "description": f"Name of the actor that is asked; else {operation.actor}.",
        "schema": {"type": "string", "maxLength": 100},
    }


def _schema_of_field(operation: Operation, field: msgspec.structs.FieldInfo) -> dict[str, Any]:
    (schema,), components = msgspec.json.schema_components([operation.http_form])
    name = schema["$ref"].rpartition("/")[2]
    return _as_here(field.name, components[name]["properties"][field.name])


def _as_here(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an argument with the bound that it has over HTTP alone."""
    if name != "rows_max" or schema.get("maximum", ROWS_MAX) < ROWS_MAX:
        return schema
    return {**schema, "maximum": ROWS_MAX, "default": min(schema.get("default", ROWS_MAX), ROWS_MAX)}
