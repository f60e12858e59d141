"""The weights that ship, behind a real server, asked by the unmodified client."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import numpy as np
import pytest
from openai import OpenAI

from llava_agent.assembly import assemble
from llava_agent.vlm.weights import EMBEDDED, KNOWLEDGE, present
from tests.service.openai.models import COMPRESSOR, PUMP, about
from tests.service.serving import application, running
from tests.ui.words import PHOTOS

pytestmark = pytest.mark.skipif(
    not present(EMBEDDED), reason="the embedded weights are not here: llava-agent models pull embedded"
)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenAI]:
    app = application(tmp_path_factory.mktemp("shipped"), lambda: assemble("embedded"))
    with running(app) as url:
        yield OpenAI(base_url=f"{url}/v1", api_key="sk-none", max_retries=0)


def test_a_nameplate_is_read(client: OpenAI) -> None:
    truth = json.loads((PHOTOS / "pump.json").read_text())["readings"]["serial_number"]
    messages = about("What is the serial number?", PUMP)
    answer = client.chat.completions.create(model="auto", messages=messages)  # type: ignore[call-overload]
    message = answer.choices[0].message
    assert message.content == truth["value"]
    x0, y0, x1, y1 = message.model_extra["evidence"][0]["box"]
    left, top, right, bottom = truth["box"]
    assert x0 <= (left + right) / 2 <= x1 and y0 <= (top + bottom) / 2 <= y1
    assert answer.usage.prompt_tokens_details.image_tokens > 0


def test_words_are_generated_piece_by_piece(client: OpenAI) -> None:
    stream = client.chat.completions.create(
        model="embedded",
        messages=[{"role": "user", "content": "Say hello."}],
        max_tokens=12,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    pieces = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    assert len([piece for piece in pieces if piece]) > 2
    usage = chunks[-1].usage
    assert usage is not None and 0 < usage.completion_tokens <= 12


def test_words_follow_a_schema(client: OpenAI) -> None:
    form = {
        "type": "object",
        "properties": {"colour": {"type": "string", "enum": ["red", "blue"]}},
        "required": ["colour"],
        "additionalProperties": False,
    }
    answer = client.chat.completions.create(
        model="auto",
        messages=[{"role": "user", "content": "What colour is the sky?"}],
        response_format={"type": "json_schema", "json_schema": {"name": "a", "schema": form}},  # type: ignore[arg-type]
        max_tokens=40,
    )
    assert json.loads(answer.choices[0].message.content or "")["colour"] in ("red", "blue")


def test_images_have_vectors(client: OpenAI) -> None:
    found = client.embeddings.create(model="auto", input=[PUMP, PUMP, COMPRESSOR], encoding_format="float")
    rows = np.array([one.embedding for one in found.data])
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-4)
    assert np.allclose(rows[0], rows[1]) and rows[0] @ rows[2] < 0.999
    assert found.model == "embedded-clip" and found.usage.prompt_tokens == 3
    packed = client.embeddings.with_raw_response.create(
        model="embedded-clip", input=PUMP, encoding_format="base64"
    )
    data = json.loads(packed.text)["data"][0]["embedding"]
    assert np.allclose(np.frombuffer(base64.b64decode(data), "<f4"), rows[0], atol=1e-6)


@pytest.mark.skipif(not present(KNOWLEDGE), reason="the text embedder is not here: models pull knowledge")
def test_texts_have_vectors(client: OpenAI) -> None:
    texts = ["the pump leaks oil", "oil drips from the pump", "the meeting is on Friday"]
    found = client.embeddings.create(model="auto", input=texts)
    rows = np.array([one.embedding for one in found.data])
    assert rows[0] @ rows[1] > rows[0] @ rows[2] + 0.2
    assert found.model == "embedded-sentence" and found.usage.prompt_tokens > 10
