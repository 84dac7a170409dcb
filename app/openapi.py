"""The OpenAPI document: problems in place of FastAPI's own errors, and a form for every registered task."""

from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.problems import MEDIA_TYPE, Problem
from app.tasks.registry import TaskDefinition

SCHEMAS = "#/components/schemas"


def install_openapi(app: FastAPI, definitions: Iterable[TaskDefinition]) -> None:
    """Give the app a document that says what it really answers, built at first request."""

    def build() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes
            )
            _describe_problems(document)
            _describe_tasks(document, definitions)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = build  # type: ignore[method-assign] # FastAPI's documented way to extend the document


def _describe_problems(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    schemas["Problem"] = Problem.model_json_schema(ref_template=f"{SCHEMAS}/{{model}}")
    invalid = {
        "description": "The request is invalid",
        "content": {MEDIA_TYPE: {"schema": {"$ref": f"{SCHEMAS}/Problem"}}},
    }
    for path in document["paths"].values():
        for operation in path.values():
            if "422" in operation["responses"]:
                operation["responses"]["422"] = invalid


def _describe_tasks(document: dict[str, Any], definitions: Iterable[TaskDefinition]) -> None:
    forms = []
    for definition in definitions:
        payload = definition.payload.model_json_schema(ref_template=f"{SCHEMAS}/{{model}}")
        document["components"]["schemas"].update(payload.pop("$defs", {}))
        forms.append(
            {
                "title": definition.name,
                "description": definition.summary,
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"const": definition.name}, "payload": payload},
            }
        )
    document["components"]["schemas"]["TaskSubmission"]["oneOf"] = forms
