"""Masks on tokenizers of the real classes, with the templates that their models have."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import pre_tokenizers
from transformers import (
    GemmaTokenizer,
    GPT2Tokenizer,
    LlamaTokenizer,
    PreTrainedTokenizerFast,
    Qwen2Tokenizer,
)

from llava_agent.errors import ConfigError
from llava_agent.vlm.chat import IMAGE_MARK, Chat, ChatError, Turn
from tests.vlm.language_models import tiny_tokenizer

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LLAMA2 = (
    "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}"
    "{% elif m.role == 'user' %}{{ bos_token }}[INST] {{ m.content | trim }} [/INST]"
    "{% else %} {{ m.content | trim }} {{ eos_token }}{% endif %}{% endfor %}"
)
GEMMA = (
    "{{ bos_token }}{% for m in messages %}<start_of_turn>"
    "{{ 'model' if m.role == 'assistant' else m.role }}\n"
    "{{ m.content }}<end_of_turn>\n{% endfor %}{% if add_generation_prompt %}"
    "<start_of_turn>model\n{% endif %}"
)
BYTES = {letter: index for index, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}


def qwen() -> Qwen2Tokenizer:
    tokenizer = Qwen2Tokenizer(vocab=dict(BYTES), merges=[], eos_token="<|im_end|>", pad_token="<|im_end|>")
    tokenizer.add_special_tokens(
        {"additional_special_tokens": ["<|im_start|>", "<|im_end|>", "<|image_pad|>"]}
    )
    tokenizer.chat_template = CHATML
    return tokenizer


def metaspace(letters: str = "") -> dict[str, int]:
    """A SentencePiece vocabulary: control tokens, the 256 bytes it falls back to, and letters."""
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{value:02X}>" for value in range(256)), "▁", *letters]
    return {token: index for index, token in enumerate(dict.fromkeys(tokens))}


def llama() -> LlamaTokenizer:
    tokenizer = LlamaTokenizer(vocab=metaspace("abcdehilnorst[]/INST"), merges=[])
    tokenizer.add_special_tokens({"additional_special_tokens": ["<image>"]})
    tokenizer.chat_template = LLAMA2
    tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def gemma() -> GemmaTokenizer:
    tokens = [
        "<pad>",
        "<eos>",
        "<bos>",
        "<unk>",
        *(f"<0x{value:02X}>" for value in range(256)),
        "▁",
        *"abehlo\n",
    ]
    tokenizer = GemmaTokenizer(vocab={token: i for i, token in enumerate(tokens)}, merges=[])
    extra = ["<start_of_turn>", "<end_of_turn>", "<image_soft_token>"]
    tokenizer.add_special_tokens({"additional_special_tokens": extra})
    tokenizer.chat_template = GEMMA
    return tokenizer


def gpt2() -> GPT2Tokenizer:
    tokenizer = GPT2Tokenizer(
        vocab=dict(BYTES), merges=[], eos_token="<|endoftext|>", bos_token="<|endoftext|>"
    )
    tokenizer.pad_token = tokenizer.eos_token
    tokenizer.add_special_tokens({"additional_special_tokens": ["<image>"]})
    return tokenizer


Made = Callable[[], PreTrainedTokenizerFast]
CASES: list[tuple[Made, str, str | None, str]] = [
    (qwen, "<|image_pad|>", None, "<|im_end|>"),
    (llama, "<image>", None, "</s>"),
    (gemma, "<image_soft_token>", None, "<end_of_turn>"),
    (gpt2, "<image>", "USER: {prompt} ASSISTANT:", "<|endoftext|>"),
    (tiny_tokenizer, "<image>", None, "</s>"),
]
TALK = (
    Turn("user", f"{IMAGE_MARK}\nWhat is <|im_end|> there?"),
    Turn("assistant", "a hat </s> and <end_of_turn>"),
    Turn("user", "And?"),
    Turn("assistant", "the rest\nof it"),
)


def chat_of(case: tuple[Made, str, str | None, str]) -> tuple[Chat, PreTrainedTokenizerFast]:
    make, token, template, _ = case
    tokenizer = make()
    return Chat(tokenizer, tokenizer.convert_tokens_to_ids(token), template), tokenizer


def runs(ids: tuple[int, ...], supervised: tuple[bool, ...]) -> list[list[int]]:
    """The supervised stretches."""
    found: list[list[int]] = []
    for index, (token, wanted) in enumerate(zip(ids, supervised, strict=True)):
        if wanted and not (index and supervised[index - 1]):
            found.append([])
        if wanted:
            found[-1].append(token)
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0].__name__)
def test_what_is_supervised_is_the_answers_and_their_ends(case: tuple[Made, str, str | None, str]) -> None:
    chat, tokenizer = chat_of(case)
    rendered = chat.render(TALK)
    answers = runs(rendered.ids, rendered.supervised)
    said = [tokenizer.decode(run[:-1], skip_special_tokens=False).strip() for run in answers]
    assert said == [TALK[1].text, TALK[3].text]
    assert {tokenizer.convert_ids_to_tokens(run[-1]) for run in answers} == {case[3]}
    assert {run[-1] for run in answers} <= chat.stops
    assert rendered.ids.count(tokenizer.convert_tokens_to_ids(case[1])) == 1
    assert len(rendered.ids) == len(rendered.supervised)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0].__name__)
def test_training_and_serving_have_the_same_prompt(case: tuple[Made, str, str | None, str]) -> None:
    chat, _ = chat_of(case)
    prompt = chat.prompt(TALK[0].text)
    rendered = chat.render(TALK[:2])
    assert list(rendered.ids[: len(prompt)]) == prompt
    assert not any(rendered.supervised[: len(prompt)])
    # A template's own blank before the answer may stand between; the answer follows at once otherwise.
    assert rendered.supervised.index(True) - len(prompt) <= 1


@pytest.mark.parametrize("case", CASES[:2] + CASES[3:], ids=lambda case: case[0].__name__)
@given(text=st.text(min_size=1, max_size=30), second=st.text(min_size=1, max_size=30))
@settings(max_examples=25, deadline=None)
def test_no_text_makes_an_image_or_ends_a_turn(
    case: tuple[Made, str, str | None, str], text: str, second: str
) -> None:
    chat, tokenizer = chat_of(case)
    attack = f"{text}{case[1] if case[1] != IMAGE_MARK else ''}{case[3]}{second}"
    rendered = chat.render([Turn("user", "Hi"), Turn("assistant", attack)])
    assert tokenizer.convert_tokens_to_ids(case[1]) not in rendered.ids
    assert (
        sum(
            token in chat.stops
            for token, wanted in zip(rendered.ids, rendered.supervised, strict=True)
            if wanted
        )
        == 1
    )


def test_a_system_turn_stands_before_the_first_round() -> None:
    chat, tokenizer = chat_of(CASES[3])
    rendered = chat.render(
        [Turn("system", "Be brief."), *TALK[2:], Turn("user", "More"), Turn("assistant", "no")]
    )
    text = tokenizer.decode(rendered.ids)
    assert text == (
        "<|endoftext|>Be brief. USER: And? ASSISTANT:the rest\nof it<|endoftext|>"
        "USER: More ASSISTANT:no<|endoftext|>"
    )


def test_what_a_template_cannot_write_is_said() -> None:
    chat, _ = chat_of(CASES[1])
    with pytest.raises(ChatError, match="no system"):
        chat.render([Turn("system", "x"), *TALK])
    rounds, _ = chat_of(CASES[3])
    for turns, said in (
        ([TALK[0], TALK[2]], "two user turns"),
        ([*TALK, Turn("system", "x")], "not the first"),
    ):
        with pytest.raises(ChatError, match=said):
            rounds.render(turns)
    with pytest.raises(ConfigError, match="no chat template"):
        Chat(gpt2(), 0)
    with pytest.raises(ConfigError, match="no place"):
        Chat(gpt2(), 0, "USER:")
