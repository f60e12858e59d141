"""Calls and the form surface, against the ticket application and a server that echoes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from examples.maintenance import serve, tickets
from llava_agent.egress import AllowList
from llava_agent.errors import ConfigError, PermissionDenied, ToolError
from tests.tools.echo import echo_server
from tools.action import Action, Click, Press, Scroll, Select, Target, Type
from tools.api import ApiClient, ApiSurface, HttpCall, InvalidArgument, load, parse
from tools.mark import Mark
from tools.observation import Observation, Outcome

_TICKET = {
    "asset tag": "PUMP-07",
    "serial number": "SN-48213",
    "condition": "Leaks oil",
    "pressure bar": "6.4",
}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("api") / "tickets.db"


@pytest.fixture(scope="module")
def url(database: Path) -> Iterator[str]:
    with serve(database) as address:
        yield address


@pytest.fixture(scope="module")
def echo() -> Iterator[str]:
    with echo_server() as address:
        yield address


@pytest.fixture
async def client(url: str) -> AsyncIterator[ApiClient]:
    allow = AllowList.of(url)
    async with ApiClient(await load(f"{url}/openapi.json", allow), allow) as made:
        yield made


@pytest.fixture
async def surface(client: ApiClient) -> ApiSurface:
    return ApiSurface(client)


def _named(observation: Observation, text: str, role: str | None = None) -> Mark:
    (found,) = [m for m in observation.marks if m.text == text and role in (None, m.role)]
    return found


async def _do(surface: ApiSurface, kind: type, text: str, *more: str) -> Outcome:
    seen = await surface.observe()
    target = Target(ref=_named(seen, text, None if kind is Click else "argument").ref)
    action: Action = Click(target=target) if kind is Click else kind(**_arguments(kind, target, more[0]))
    return await surface.act(action, seen)


def _arguments(kind: type, target: Target, text: str) -> dict:
    return {"target": target, "text" if kind is Type else "option": text}


async def test_a_ticket_is_filed_and_found_through_the_form(surface: ApiSurface, database: Path) -> None:
    seen = await surface.observe()
    assert [(m.text, m.role) for m in seen.marks] == [
        ("Create ticket", "operation"),
        ("Find tickets", "operation"),
        ("Show ticket", "operation"),
    ]
    assert (seen.surface, seen.address, seen.screenshot, seen.scroll) == (
        "api",
        "Maintenance tickets",
        None,
        None,
    )
    assert (await _do(surface, Click, "Create ticket")).ok
    for label, text in _TICKET.items():
        assert (await _do(surface, Type, label, text)).ok
    assert (await _do(surface, Select, "priority", "high")).ok
    assert (await _do(surface, Click, "machine stopped")).ok
    seen = await surface.observe()
    assert _named(seen, "serial number").line() == '"serial number" argument required = SN-48213'
    assert "selected" in _named(seen, "high").states
    assert await surface.value(_named(seen, "machine stopped").ref) == "true"
    sent = await _do(surface, Click, "send")
    assert sent.ok
    assert sent.detail == "HTTP 201 Created"
    stored = tickets(database)[-1]
    assert sent.data["status"] == 201
    assert (stored.serial_number, stored.pressure_bar, stored.priority) == ("SN-48213", 6.4, "high")
    assert (stored.machine_stopped, stored.source) == (True, "api")
    seen = await surface.observe()
    assert _named(seen, "serial number").line() == '"serial number" text = SN-48213'
    assert _named(seen, "id").value == str(stored.id)
    assert seen.title == "Create ticket: 201 Created"


async def test_a_list_is_shown_entry_by_entry(surface: ApiSurface) -> None:
    await _do(surface, Click, "Create ticket")
    for label, text in (_TICKET | {"serial number": "LIST-1"}).items():
        await _do(surface, Type, label, text)
    await _do(surface, Click, "send")
    for button in ("back", "back", "Find tickets"):
        await _do(surface, Click, button)
    await _do(surface, Type, "serial number", "LIST-1")
    seen = await surface.observe()
    assert (await surface.act(Press(key="Enter"), seen)).ok
    seen = await surface.observe()
    assert _named(seen, "count").value == "1"
    assert _named(seen, "1 serial number").value == "LIST-1"


async def test_missing_and_wrong_arguments_are_refused_before_sending(
    surface: ApiSurface, database: Path
) -> None:
    await _do(surface, Click, "Create ticket")
    before = len(tickets(database))
    outcome = await _do(surface, Click, "send")
    assert (outcome.ok, outcome.reason, outcome.detail) == (False, "invalid", "asset tag is required")
    outcome = await _do(surface, Type, "pressure bar", "high")
    assert (outcome.reason, outcome.detail) == ("invalid", "pressure bar must be a number, not 'high'")
    outcome = await _do(surface, Select, "priority", "urgent")
    assert outcome.reason == "no_such_option"
    assert "low, normal, high" in outcome.detail
    assert len(tickets(database)) == before


async def test_the_servers_refusal_is_shown_and_the_form_keeps_its_values(surface: ApiSurface) -> None:
    await _do(surface, Click, "Create ticket")
    for label, text in (_TICKET | {"asset tag": "??"}).items():
        await _do(surface, Type, label, text)
    outcome = await _do(surface, Click, "send")
    assert outcome.reason == "http_error"
    assert outcome.detail.startswith("HTTP 422: asset_tag: String should match")
    seen = await surface.observe()
    assert "asset_tag" in (_named(seen, "error").value or "")
    assert _named(seen, "serial number").value == "SN-48213"


async def test_absent_ticket_is_an_http_error_in_the_servers_words(surface: ApiSurface) -> None:
    await _do(surface, Click, "Show ticket")
    await _do(surface, Type, "id", "424242")
    outcome = await _do(surface, Click, "send")
    assert (outcome.reason, outcome.detail) == ("http_error", "HTTP 404: There is no ticket 424242")


async def test_stale_and_senseless_targets_are_refused(surface: ApiSurface) -> None:
    first = await surface.observe()
    opens = Click(target=Target(ref=_named(first, "Create ticket").ref))
    assert (await surface.act(opens, first)).ok
    assert (await surface.act(opens, first)).reason == "stale"
    seen = await surface.observe()
    assert (await surface.act(opens, seen)).reason == "not_found"
    send = Target(ref=_named(seen, "send").ref)
    assert (await surface.act(Type(target=send, text="x"), seen)).reason == "not_a_field"
    assert (await surface.act(Click(target=Target(text="asset tag")), seen)).reason == "invalid"
    point = Target.model_validate({"point": {"x": 1, "y": 1}})
    assert (await surface.act(Click(target=point), seen)).reason == "not_found"
    assert (await surface.act(Press(key="Tab"), seen)).reason == "invalid"


async def test_only_sending_what_may_change_something_is_irreversible(surface: ApiSurface) -> None:
    async def effects(operation: str) -> tuple[str, str, str]:
        await _do(surface, Click, operation)
        seen = await surface.observe()
        send, back = (Click(target=Target(ref=_named(seen, name).ref)) for name in ("send", "back"))
        found = (
            surface.effect(send, seen),
            surface.effect(back, seen),
            surface.effect(Press(key="Enter"), seen),
        )
        await surface.act(back, seen)
        return found

    assert await effects("Create ticket") == ("irreversible", "read", "irreversible")
    assert await effects("Find tickets") == ("read", "read", "read")


async def test_arguments_reach_every_place_of_the_request(echo: str) -> None:
    string = {"schema": {"type": "string"}}
    several = {"schema": {"type": "array", "items": {"type": "string"}}}
    operation = {
        "operationId": "tell",
        "parameters": [
            {"name": "name", "in": "path", "required": True, **string},
            {"name": "tag", "in": "query", **several},
            {"name": "X-Kind", "in": "header", **string},
            {"name": "sort", "in": "cookie", **string},
        ],
        "requestBody": {
            "content": {
                "application/json": {
                    "schema": {"properties": {"a": {"properties": {"b": {"type": "integer"}}}, "c": {}}}
                }
            }
        },
    }
    document = _document({"/say/{name}": {"post": operation}}, echo)
    async with ApiClient(document, AllowList.of(echo), headers={"authorization": "Bearer x"}) as client:
        given = {"name": "a/b?#é", "tag": "x, y&z", "X-Kind": "k", "sort": "1;2", "a.b": "7"}
        answer = await client.call(client.operation("tell"), given)
    assert isinstance(answer.body, dict)
    assert answer.body["path"] == "/say/a%2Fb%3F%23%C3%A9?tag=x&tag=y%26z"
    assert answer.body["body"] == '{"a": {"b": 7}}'
    headers = answer.body["headers"]
    assert (headers["x-kind"], headers["cookie"], headers["authorization"]) == ("k", "sort=1%3B2", "Bearer x")


@pytest.mark.parametrize("name", ["", ".", ".."])
async def test_a_path_cannot_be_climbed(echo: str, name: str) -> None:
    node = {"operationId": "x", "parameters": [{"name": "n", "in": "path", "schema": {"type": "string"}}]}
    async with ApiClient(_document({"/a/{n}": {"get": node}}, echo), AllowList.of(echo)) as client:
        with pytest.raises(InvalidArgument):
            await client.call(client.operation("x"), {"n": name})


async def test_form_bodies_and_header_injection(echo: str) -> None:
    form = {"application/x-www-form-urlencoded": {"schema": {"properties": {"q": {"type": "string"}}}}}
    header = {"name": "X-A", "in": "header", "schema": {"type": "string"}}
    node = {"operationId": "x", "requestBody": {"content": form}, "parameters": [header]}
    async with ApiClient(_document({"/f": {"post": node}}, echo), AllowList.of(echo)) as client:
        answer = await client.call(client.operation("x"), {"q": "a b&c"})
        assert isinstance(answer.body, dict)
        assert answer.body["body"] == "q=a%20b%26c"
        with pytest.raises(InvalidArgument, match="one line"):
            await client.call(client.operation("x"), {"X-A": "a\r\nX-B: c"})
        with pytest.raises(InvalidArgument, match="no argument"):
            await client.call(client.operation("x"), {"y": "1"})


async def test_hosts_that_are_not_listed_are_not_asked(url: str) -> None:
    with pytest.raises(PermissionDenied):
        await load(f"{url}/openapi.json")
    document = await load(f"{url}/openapi.json", AllowList.of(url))
    with pytest.raises(PermissionDenied):
        ApiClient(document, AllowList())
    with pytest.raises(PermissionDenied):
        await HttpCall("GET", url).send(AllowList.of("http://127.0.0.1:1"))


async def test_documents_that_are_not_there(url: str) -> None:
    with pytest.raises(ToolError, match="HTTP 404"):
        await load(f"{url}/none.json", AllowList.of(url))
    with pytest.raises(ConfigError, match=r"neither JSON nor YAML|no OpenAPI document"):
        await load(f"{url}/", AllowList.of(url))
    with pytest.raises(ConfigError, match="where its server is"):
        ApiClient(_document({"/a": {"get": {}}}, ""), AllowList())


async def test_plain_call(url: str, echo: str) -> None:
    answer = await HttpCall("GET", f"{url}/api/tickets/424242").send(AllowList.of(url))
    assert (answer.status, answer.ok, answer.message) == (404, False, "There is no ticket 424242")
    answer = await HttpCall("PUT", f"{echo}/x", {"x-a": "b"}, {"k": 1}).send(AllowList.of(echo))
    assert isinstance(answer.body, dict)
    assert json.loads(answer.body["body"]) == {"k": 1}
    assert answer.body["headers"]["x-a"] == "b"


async def test_long_lists_are_paged(echo: str) -> None:
    paths = {f"/p{number:02}": {"get": {"summary": f"Operation {number:02}"}} for number in range(90)}
    surface = ApiSurface(ApiClient(_document(paths, echo), AllowList.of(echo)))
    seen = await surface.observe()
    assert (len(seen.marks), seen.scroll) == (40, 0.0)
    names = {mark.text for mark in seen.marks}
    while seen.scroll != 1.0:
        assert (await surface.act(Scroll(), seen)).detail == ""
        seen = await surface.observe()
        names |= {mark.text for mark in seen.marks}
    assert len(names) == 90
    assert (await surface.act(Scroll(), seen)).detail == "there is nothing more that way"
    await surface.close()


async def test_a_server_that_is_gone_is_an_outcome(tmp_path: Path) -> None:
    with serve(tmp_path / "t.db") as url:
        allow = AllowList.of(url)
        surface = ApiSurface(ApiClient(await load(f"{url}/openapi.json", allow), allow))
    await _do(surface, Click, "Find tickets")
    outcome = await _do(surface, Click, "send")
    assert (outcome.ok, outcome.reason) == (False, "http_error")
    assert "cannot be reached" in outcome.detail
    await surface.close()


def _document(paths: dict, server: str):  # type: ignore[no-untyped-def]
    root = {"openapi": "3.1.0", "paths": paths} | ({"servers": [{"url": server}]} if server else {})
    return parse(json.dumps(root).encode(), "doc.json")
