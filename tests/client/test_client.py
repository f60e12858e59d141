"""The typed client against a real server: what it sends, what it waits for, what it raises."""

from __future__ import annotations

import contextlib
import io
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from PIL import Image

from llava_agent.client import Client, Event, ServerFailure
from llava_agent.client.runs import events
from llava_agent.errors import Conflict, LlavaAgentError, NotFound, PermissionDenied, ToolError
from llava_agent.service.errors import NotLoggedIn, RetryLater
from tests.client.conftest import Served
from tests.service.serving import key_of, service


def picture(colour: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (32, 24), colour).save(buffer, "PNG")
    return buffer.getvalue()


def test_photos_come_page_by_page_and_once(served: Served) -> None:
    with Client(served.url, key_of(served.app, "photographer")) as server:
        first = server.photos.upload(picture("navy"), name="a.png", key="one")
        assert server.photos.upload(picture("navy"), name="a.png", key="one").id == first.id
        with pytest.raises(Conflict, match="another request"):
            server.photos.upload(picture("red"), name="a.png", key="one")
        second = server.photos.upload(picture("red"), name="b.png", asset="P-7")
        pages = server._connection.pages(type(server.photos.get(first.id)), "/api/photos", {"limit": 1})
        assert [one.id for one in pages] == [second.id, first.id]
        assert [one.id for one in server.photos.all(asset="P-7")] == [second.id]
        assert server.photos.content(first.id).startswith(b"\x89PNG")
        assert second.quality.complaints and second.created.tzinfo is not None
        server.photos.delete(second.id)
        with pytest.raises(NotFound):
            server.photos.get(second.id)
        for odd in ("", "..", "a/b", "%00", "x?y#z"):
            with pytest.raises(NotFound):
                server.photos.get(odd)


def test_each_refusal_is_the_products_own_error(served: Served, ada: Client) -> None:
    with Client(served.url, "la_wrong") as stranger, pytest.raises(NotLoggedIn):
        stranger.who()
    with (
        Client(served.url, key_of(served.app, "eve", "auditor")) as auditor,
        pytest.raises(PermissionDenied, match=r"content\.read") as refused,
    ):
        list(auditor.photos.all())
    assert any(note.startswith("request req_") for note in refused.value.__notes__)
    with pytest.raises(LlavaAgentError, match="url"):
        ada.runs.create("look", "file:///etc/passwd")
    assert ada.who().roles == ("member",)
    with (
        Client(served.url.replace("127.0.0.1", "127.0.0.2")) as elsewhere,
        pytest.raises(ToolError, match="cannot be reached"),
    ):
        elsewhere.who()


def test_a_run_is_watched_steered_and_ended(served: Served, ada: Client) -> None:
    photo = ada.photos.upload(picture("green"), name="g.png")
    served_by = service(served.app).desk.worker
    served_by.stop()  # so that it waits in the queue
    try:
        run = ada.runs.inspect([photo.id], key="again")
        assert ada.runs.inspect([photo.id], key="again").id == run.id
        assert ada.runs.cancel(run.id).state == "cancelled"
    finally:
        served_by.start()
    (end,) = ada.runs.stream(run.id)
    assert end == Event(0, "end", {"state": "cancelled", "reason": "cancelled by ada"})
    assert ada.runs.wait(run.id).over
    with pytest.raises(Conflict):
        ada.runs.pause(run.id)
    assert ada.runs.artifacts(run.id) == ()
    with pytest.raises(NotFound):
        ada.runs.artifact(run.id, "a b/ü.html")


def test_nobody_approves_what_is_not_there(served: Served) -> None:
    with Client(served.url, key_of(served.app, "boss", "approver")) as boss:
        assert boss.approvals.waiting() == ()
        with pytest.raises(NotFound):
            boss.approvals.approve("x", "seen")


_HEAD = (
    b"HTTP/1.1 %s\r\ncontent-type: application/json\r\nconnection: close\r\n%scontent-length: %d\r\n\r\n%s"
)
_WHO = (
    b'{"user":"ada","by":"token","department":"","roles":[],"permissions":[],"must_change_password":false,'
    b'"csrf_token":null,"later":"a newer server says more"}'
)


def answer(status: bytes, body: bytes, head: bytes = b"") -> bytes:
    return _HEAD % (status, head, len(body), body)


@contextmanager
def scripted(*answers: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A server that gives these answers, one a connection, and keeps what it was asked; empty hangs up."""
    listener, asked = socket.create_server(("127.0.0.1", 0)), []

    def serve() -> None:
        with contextlib.suppress(OSError):  # the listener was closed: nobody else is to come
            for said in answers:
                connection, _ = listener.accept()
                with connection:
                    asked.append(connection.recv(65536))
                    connection.sendall(said)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
    finally:
        listener.shutdown(socket.SHUT_RDWR)  # wakes who waits for a connection
        listener.close()
        thread.join(10)


_FULL = answer(
    b"429 Too Many Requests",
    b'{"detail":"it is full.","code":"busy","request_id":"req_1"}',
    b"retry-after: 0\r\n",
)


def test_a_full_server_is_waited_for_as_it_says() -> None:
    with scripted(_FULL, _FULL, answer(b"200 OK", _WHO)) as (url, asked), Client(url) as server:
        assert server.who().user == "ada" and len(asked) == 3
    with scripted(_FULL) as (url, _), Client(url, patience=-1) as server, pytest.raises(RetryLater):
        server.who()


def test_what_makes_something_is_sent_again_under_the_same_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llava_agent.client.connection._PAUSE_S", 0.01)
    with scripted(b"", b"", answer(b"404 Not Found", b"{}")) as (url, asked), Client(url) as server:
        with pytest.raises(ServerFailure, match="404"):
            server.runs.inspect(["photo_1"])
        keys = {line for one in asked for line in one.split(b"\r\n") if line.startswith(b"idempotency-key")}
        assert len(asked) == 3 and len(keys) == 1
    with scripted(b"", b"") as (url, asked), Client(url) as server:
        with pytest.raises(ToolError):
            server.runs.cancel("run_1")  # nobody knows if it was done, so it is not done again
        assert len(asked) == 1


def test_an_answer_in_another_form_is_said() -> None:
    with (
        scripted(answer(b"200 OK", b'{"user": 7}')) as (url, _),
        Client(url) as server,
        pytest.raises(ServerFailure, match="does not know"),
    ):
        server.who()


def test_events_are_read_strictly() -> None:
    lines = [": alive", "", "id: 3", "event: step", 'data: {"step": 1}', "", "id: 4", "event: end", "data: {"]
    assert list(events(lines)) == [Event(3, "step", {"step": 1})]  # what is cut off is not an event
    with pytest.raises(ServerFailure):
        list(events(["id: 5", "data: {", ""]))
