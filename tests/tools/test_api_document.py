"""Reading OpenAPI documents, good and bad."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llava_agent.errors import ConfigError, LlavaAgentError
from tools.api import Operation, load, operations, parse


def _read(paths: object, **rest: object) -> tuple[Operation, ...]:
    return operations(parse(json.dumps({"openapi": "3.1.0", "paths": paths, **rest}).encode(), "doc"))


def _get(**rest: object) -> dict:
    return {"/things": {"get": {"operationId": "list_things", **rest}}}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no OpenAPI document"),
        ("[1]", "no OpenAPI document"),
        ("{", "neither JSON nor YAML"),
        ("[" * 100_000, "nested too deeply"),
        ("a: !!python/object/apply:os.system [ls]", "neither JSON nor YAML"),
        ('{"swagger": "2.0", "paths": {}}', "Swagger 2"),
        ('{"openapi": "2.9", "paths": {}}', "version 3.0 or 3.1"),
        ('{"openapi": "3.1.0"}', "no paths"),
        ('{"openapi": "3.1.0", "paths": {}}', "no operation"),
        ('{"openapi": "3.1.0", "paths": {"/a": 3}}', "an object was expected"),
        ('{"openapi": "3.1.0", "paths": {"/a": {"get": {"parameters": 3}}}}', "no list"),
        (
            '{"openapi": "3.1.0", "paths": {"/a": {"get": {"parameters": [{"in": "query"}]}}}}',
            "without a name",
        ),
        ('{"openapi": "3.1.0", "paths": {"/{id}": {"get": {}}}}', "does not describe 'id'"),
        ('{"openapi": "3.1.0", "paths": {"/a": {"$ref": "other.json"}}}', "out of the document"),
        ('{"openapi": "3.1.0", "paths": {"/a": {"$ref": "#/nowhere"}}}', "leads nowhere"),
        ('{"openapi": "3.1.0", "paths": {"/a": {"$ref": "#/paths/~1a"}}}', "in a circle"),
    ],
)
def test_bad_documents_are_one_clear_sentence(text: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        operations(parse(text.encode(), "doc"))


def test_doubled_ids_are_refused() -> None:
    with pytest.raises(ConfigError, match="twice"):
        _read({"/a": {"get": {"operationId": "x"}}, "/b": {"get": {"operationId": "x"}}})


def test_operation_without_an_id_is_named_by_its_address() -> None:
    (one,) = _read({"/a": {"delete": {}}, "x-note": "an extension"})
    assert (one.id, one.method, one.effect) == ("DELETE /a", "DELETE", "irreversible")


def test_shared_parameters_are_joined_and_overridden() -> None:
    paths = {
        "/a/{id}": {
            "parameters": [
                {"name": "id", "in": "path", "schema": {"type": "integer"}},
                {"name": "q", "in": "query", "schema": {"type": "string"}},
            ],
            "get": {
                "parameters": [
                    {"name": "q", "in": "query", "required": True, "schema": {"type": "integer"}},
                    {"name": "Authorization", "in": "header", "schema": {"type": "string"}},
                ]
            },
        }
    }
    (one,) = _read(paths)
    assert [(p.name, p.location, p.required, p.schema["type"]) for p in one.parameters] == [
        ("id", "path", True, "integer"),
        ("q", "query", True, "integer"),
    ]


def test_references_all_of_and_nested_members_become_arguments() -> None:
    schemas = {
        "Base": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
        "Place": {"type": "object", "required": ["room"], "properties": {"room": {"type": "integer"}}},
        "Thing": {
            "allOf": [
                {"$ref": "#/components/schemas/Base"},
                {
                    "required": ["place"],
                    "properties": {
                        "id": {"type": "integer", "readOnly": True},
                        "place": {"$ref": "#/components/schemas/Place"},
                        "partOf": {"$ref": "#/components/schemas/Thing"},
                    },
                },
            ]
        },
    }
    body = {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}},
    }
    (one,) = _read({"/t": {"post": {"requestBody": body}}}, components={"schemas": schemas})
    assert [(p.name, p.required, p.label) for p in one.parameters] == [
        ("name", True, "name"),
        ("place.room", True, "place room"),
        ("partOf", False, "part of"),
    ]


def test_a_document_that_unfolds_without_end_is_refused() -> None:
    schemas = {
        f"S{level}": {
            "properties": {f"p{i}": {"$ref": f"#/components/schemas/S{level + 1}"} for i in range(10)}
        }
        for level in range(9)
    } | {"S9": {"type": "string"}}
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/S0"}}}}
    with pytest.raises(ConfigError, match="unfolds into more than"):
        _read({"/t": {"post": {"requestBody": body}}}, components={"schemas": schemas})


def test_a_file_body_is_told_not_hidden() -> None:
    (one,) = _read({"/t": {"post": {"requestBody": {"content": {"multipart/form-data": {}}}}}})
    assert "multipart/form-data" in one.unsupported


@pytest.mark.parametrize(
    ("servers", "source", "address"),
    [
        (None, "http://host:1/v1/openapi.json", "http://host:1"),
        ([{"url": "api/"}], "http://host:1/v1/openapi.json", "http://host:1/v1/api"),
        (
            [{"url": "https://other/{v}", "variables": {"v": {"default": "v2"}}}],
            "doc.json",
            "https://other/v2",
        ),
    ],
)
def test_server_address(servers: list | None, source: str, address: str) -> None:
    root: dict = {"openapi": "3.0.3", "paths": _get()} | ({"servers": servers} if servers else {})
    assert parse(json.dumps(root).encode(), source).base_url == address


async def test_yaml_file(tmp_path: Path) -> None:
    path = tmp_path / "api.yaml"
    path.write_text("openapi: 3.0.0\ninfo: {title: Things}\npaths:\n  /a:\n    get: {summary: List all}\n")
    document = await load(path)
    assert document.title == "Things"
    assert operations(document)[0].label == "List all"


async def test_absent_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        await load(tmp_path / "none.json")


_KEYS = st.sampled_from(
    [
        *("get", "post", "parameters", "requestBody", "content", "application/json", "schema", "properties"),
        *("required", "name", "in", "allOf", "anyOf", "items", "type", "$ref", "operationId", "summary"),
    ]
)
_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=6)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_KEYS, inner, max_size=4)),
    max_leaves=12,
)


@given(
    st.dictionaries(st.sampled_from(["/a", "/b/{id}"]), st.dictionaries(_KEYS, _JSON, max_size=4), max_size=2)
)
def test_no_document_breaks_the_reader(paths: dict) -> None:
    try:
        _read(paths)
    except LlavaAgentError as error:
        assert error.what
