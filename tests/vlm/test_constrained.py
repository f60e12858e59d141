import json
import re
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llava_agent.errors import ConfigError, WeightsError
from llava_agent.vlm.constrained import Constraint, Vocabulary
from llava_agent.vlm.decode import Sampling, generate
from llava_agent.vlm.engines.torch_engine import TorchEngine
from tests.vlm.language_models import VOCABULARY, tiny_language, tiny_tokenizer

END = 257

SCHEMA = {
    "type": "object",
    "properties": {
        "verb": {"enum": ["click", "type"]},
        "mark": {"type": "integer", "minimum": 0, "maximum": 40},
        "sure": {"type": "boolean"},
        "words": {"type": "array", "items": {"type": "string", "maxLength": 5}, "maxItems": 2},
    },
    "required": ["verb", "mark", "words"],
    "additionalProperties": False,
}


@cache
def vocabulary() -> Vocabulary:
    return Vocabulary(tiny_tokenizer().backend_tokenizer.to_str(), END, VOCABULARY)


def drawn(constraint: Constraint, seed: int, sharpness: float = 5.0) -> str:
    """What comes out when a model with random logits has to obey."""
    random, tokens = np.random.default_rng(seed), []
    while not constraint.finished:
        logits = random.normal(size=VOCABULARY) * sharpness
        mask = constraint.allowed()
        assert mask.shape == (VOCABULARY,)
        assert mask.any()
        token = int(np.where(mask, logits, -np.inf).argmax())
        if token == END:
            break
        constraint.accept(token)
        tokens.append(token)
        assert len(tokens) < 500
    return str(tiny_tokenizer().decode(tokens))


@given(st.integers(0, 2**32 - 1))
def test_whatever_the_logits_the_output_satisfies_the_schema(seed: int) -> None:
    made = json.loads(drawn(Constraint.from_schema(SCHEMA, vocabulary()), seed))
    assert set(made) - {"sure"} == {"verb", "mark", "words"}
    assert made["verb"] in ("click", "type")
    assert type(made["mark"]) is int
    assert 0 <= made["mark"] <= 40
    assert isinstance(made.get("sure", True), bool)
    assert len(made["words"]) <= 2
    assert all(isinstance(word, str) and len(word) <= 5 for word in made["words"])


@given(
    st.integers(0, 2**32 - 1), st.sampled_from([r"[A-Z]{2}-[0-9]{1,5}", r"(ab|c)*d", r"-?[1-9][0-9]{0,3}"])
)
def test_whatever_the_logits_the_output_matches_the_expression(seed: int, pattern: str) -> None:
    made = drawn(Constraint.from_regex(pattern, vocabulary()), seed)
    assert re.fullmatch(pattern, made)


@given(st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=4), st.integers(0, 2**32 - 1))
def test_a_choice_is_one_of_the_choices_to_the_letter(choices: list[str], seed: int) -> None:
    assert drawn(Constraint.from_choices(choices, vocabulary()), seed) in choices


def test_the_engines_own_loop_obeys_too() -> None:
    engine = TorchEngine(tiny_language())
    constraint = Constraint.from_choices(["yes", "no"], vocabulary())
    tokens = list(generate(engine, engine.embed(np.array([1, 2])), Sampling(max_tokens=9), {END}, constraint))
    assert tiny_tokenizer().decode(tokens) in ("yes", "no")


def test_the_end_is_possible_only_where_the_output_is_complete() -> None:
    constraint = Constraint.from_regex("ab*", vocabulary())
    assert not constraint.allowed()[END]
    constraint.accept(tiny_tokenizer().convert_tokens_to_ids("a"))
    assert constraint.allowed()[END]
    assert not constraint.finished


def test_a_token_that_was_not_allowed_is_an_error() -> None:
    constraint = Constraint.from_choices(["yes"], vocabulary())
    with pytest.raises(ConfigError, match="broke"):
        constraint.accept(tiny_tokenizer().convert_tokens_to_ids("q"))


@pytest.mark.parametrize("schema", [{"type": "nonsense"}, {"type": "object", "required": "x"}])
def test_a_bad_schema_is_refused(schema: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="constraint is invalid"):
        Constraint.from_schema(schema, vocabulary())


def test_a_bad_expression_or_no_choices_are_refused() -> None:
    with pytest.raises(ConfigError, match="constraint is invalid"):
        Constraint.from_regex("(a", vocabulary())
    for choices in ([], ["a", ""]):
        with pytest.raises(ConfigError, match="at least one"):
            Constraint.from_choices(choices, vocabulary())


def test_a_broken_tokenizer_is_refused(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(WeightsError, match="cannot be read"):
        Vocabulary.load(tmp_path / "absent.json", 0)
    (tmp_path / "broken.json").write_text("{}")
    with pytest.raises(WeightsError, match="unusable"):
        Constraint.from_regex("a", Vocabulary.load(tmp_path / "broken.json", 0))
