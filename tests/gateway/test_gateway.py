from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llava_agent.errors import NoPermittedModel, WeightsError
from llava_agent.gateway.compare import compare_with_vision
from llava_agent.gateway.gateway import Gateway
from llava_agent.gateway.ledger import Ledger, read
from llava_agent.gateway.model import Price, both_tiers
from llava_agent.gateway.request import Candidate, Choice, Message, ModelRequest, Usage
from tests.gateway.doubles import Double, choice

CANDIDATES = (Candidate('"Save" button', "Save"), Candidate('"Cancel" button', "Cancel"))


def two(text_says: str = "click", vision_says: str = "click") -> tuple[Double, Double, Gateway]:
    text = Double("small", "text", lambda request, candidates, verbs: choice(text_says, 0, of=2))
    vision = Double(
        "eyes",
        "vision",
        lambda request, candidates, verbs: choice(
            vision_says, 0, of=2, usage=Usage(prompt_tokens=400, image_tokens=300)
        ),
    )
    return text, vision, Gateway({"small": text, "eyes": vision})


@pytest.mark.parametrize(
    ("request_", "model"),
    [
        (ModelRequest("act", "save"), "small"),
        (ModelRequest("act", "save", image=b"png"), "small"),
        (ModelRequest("act", "save", image=b"png", needs_pixels=True), "eyes"),
        (ModelRequest("act", "save", minimum_tier=1), "eyes"),
        (ModelRequest("perceive", "what is it?", image=b"png"), "eyes"),
        (ModelRequest("summarise", "sum up"), "small"),
    ],
)
def test_the_kind_of_step_picks_the_model(request_: ModelRequest, model: str) -> None:
    _, _, gateway = two()
    picked = gateway.choose(request_, CANDIDATES, ("click",))
    assert picked.route.model == model
    (entry,) = gateway.ledger.entries
    assert (entry.model, entry.reason) == (model, picked.route.reason)
    assert len(entry.reason.split()) > 3


def test_a_text_model_is_never_handed_pixels() -> None:
    text, _, gateway = two()
    gateway.choose(ModelRequest("act", "save", image=b"png"), CANDIDATES, ("click",))
    assert text.requests[0].image is None


def test_the_callers_reason_is_quoted() -> None:
    _, _, gateway = two()
    request = ModelRequest("act", "save", image=b"png", needs_pixels=True, because="the goal names a colour")
    assert gateway.choose(request, CANDIDATES, ("click",)).route.reason == "the goal names a colour"


def test_no_permitted_model_is_refused_and_text_falls_to_vision() -> None:
    text, vision, _ = two()
    with pytest.raises(NoPermittedModel, match="no vision model"):
        Gateway({"small": text}).choose(ModelRequest("perceive", "?", image=b"png"), (), ("read",))
    route = Gateway({"eyes": vision}).choose(ModelRequest("act", "save"), (), ("click",)).route
    assert route.model == "eyes"
    assert "no text model" in route.reason


def test_the_cheaper_of_two_models_of_a_tier_is_taken() -> None:
    dear = Double("a", "text", lambda *_: choice("done"), price=Price(per_second=Decimal("0.2")))
    cheap = Double("b", "text", lambda *_: choice("done"), price=Price(per_second=Decimal("0.1")))
    gateway = Gateway({"a": dear, "b": cheap})
    gateway.choose(ModelRequest("act", "x"), (), ("done",))
    assert gateway.ledger.entries[0].cost == "0.0005"


def test_a_failing_model_leaves_a_line(tmp_path: Path) -> None:
    def fail(*_: object) -> Choice:
        raise WeightsError("the weights are damaged", "pull them again")

    gateway = Gateway({"a": Double("a", "text", fail)}, Ledger(tmp_path / "ledger.jsonl"))
    with pytest.raises(WeightsError):
        gateway.choose(ModelRequest("act", "x", run="r", step=3), (), ("done",))
    (entry,) = read(tmp_path / "ledger.jsonl")
    assert (entry.outcome, entry.run, entry.step) == ("error", "r", 3)
    assert entry.error is not None and "damaged" in entry.error


def test_the_ledger_survives_a_torn_line_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    text, _, _ = two()
    gateway = Gateway({"small": text}, Ledger(path))
    gateway.choose(ModelRequest("act", "save"), CANDIDATES, ("click",))
    with path.open("a") as file:
        file.write('{"run": "", "st')
    again = Gateway({"small": text}, Ledger(path))
    again.choose(ModelRequest("act", "save"), CANDIDATES, ("click",))
    assert len(again.ledger.entries) == 2
    assert len(read(path)) == 2
    assert again.ledger.total().prompt_tokens == 200


def test_comparison_measures_the_vision_model_on_text_steps_only() -> None:
    _, vision, base = two(vision_says="done")
    gateway = base.recording(Ledger(), keep_asked=True)
    gateway.choose(ModelRequest("act", "a", image=b"png", step=0), CANDIDATES, ("click",))
    gateway.choose(ModelRequest("perceive", "b", image=b"png", step=0), CANDIDATES, ("read",))
    gateway.choose(ModelRequest("act", "c", image=b"png", step=1), CANDIDATES, ("click",))
    gateway.choose(ModelRequest("act", "c", image=b"png", step=1, minimum_tier=1), CANDIDATES, ("click",))
    gateway.choose(ModelRequest("act", "no pixels at all", step=2), CANDIDATES, ("click",))
    seen = len(vision.requests)
    result = compare_with_vision(gateway, gateway.asked)
    assert len(vision.requests) == seen + 1
    assert (result.asked_again, result.agreed) == (1, 0)
    # Step 0: text 100 + perceive 400; step 1: text 100 and vision 400. Vision alone: 400 + 400 + 400.
    assert result.routed.prompt_tokens == 1000
    assert result.vision.prompt_tokens == 1200
    assert gateway.ledger.total().prompt_tokens == 1100
    assert [entry.shadow for entry in gateway.ledger.entries].count(True) == 1


def test_one_set_of_weights_serves_both_tiers() -> None:
    asked: list[bool] = []

    class Weights:
        def choose(self, request: ModelRequest, candidates: object, verbs: object, *, pixels: bool) -> Choice:
            asked.append(pixels)
            return choice("done")

        def complete(self, request: ModelRequest, *, pixels: bool) -> object:
            raise AssertionError("not asked")

    gateway = Gateway(both_tiers("tiny", Weights()))  # type: ignore[arg-type]
    gateway.choose(ModelRequest("act", "x", image=b"png"), (), ("done",))
    gateway.choose(ModelRequest("act", "x", image=b"png", needs_pixels=True), (), ("done",))
    gateway.choose(ModelRequest("act", "x", minimum_tier=1), (), ("done",))
    assert asked == [False, True, False]
    assert [entry.model for entry in gateway.ledger.entries] == ["tiny-text", "tiny-vision", "tiny-vision"]


@given(
    kind=st.sampled_from(["plan", "perceive", "act", "tool_args", "verify", "summarise"]),
    needs=st.booleans(),
    least=st.integers(0, 1),
)
def test_a_step_that_needs_pixels_never_goes_to_text(kind: str, needs: bool, least: int) -> None:
    _, _, gateway = two()
    request = ModelRequest(kind, "x", needs_pixels=needs, minimum_tier=least)  # type: ignore[arg-type]
    tier = gateway.choose(request, CANDIDATES, ("click",)).route.tier
    assert (tier == "text") == (kind != "perceive" and not needs and least == 0)


def test_every_line_is_json_with_a_version(tmp_path: Path) -> None:
    text, _, _ = two()
    gateway = Gateway({"small": text}, Ledger(tmp_path / "ledger.jsonl"))
    gateway.complete(ModelRequest("summarise", "sum up"))
    record = json.loads((tmp_path / "ledger.jsonl").read_text())
    assert record["v"] == 1 and record["call"] == "complete" and record["ms"]["total"] >= 0


def test_a_stream_settles_its_route_before_the_first_piece_and_is_recorded_at_its_end() -> None:
    _, vision, gateway = two()
    shown = ModelRequest("summarise", "", messages=(Message("user", "what?", (b"png",)),))
    with gateway.stream(shown) as stream:
        assert stream.route.model == "eyes"
        assert not gateway.ledger.entries
        assert list(stream) == ["a pump"]
    assert stream.completion.route == stream.route
    (entry,) = gateway.ledger.entries
    assert (entry.call, entry.model, entry.output_tokens) == ("complete", "eyes", 7)
    assert vision.requests == [shown]
