"""A fast tokenizer of transformers in the words of a GGUF file."""

from __future__ import annotations

import json
import re
from typing import Any

from llava_agent.errors import ConfigError
from llava_agent.vlm.chat import Chat

#: How llama.cpp calls a way of cutting text before byte-pair merging, by a part of the pattern that only this
#: way has.
_PATTERNS = {r"\p{N}{1,3}": "llama-bpe", r"|\p{N}|": "qwen2"}

_BYTE = re.compile(r"<0x[0-9A-Fa-f]{2}>")

#: Of tokens that no merge makes, such as single characters.
_UNMERGED = -1e6


def add_tokenizer(writer: Any, tokenizer: Any, rows: int, chat: Chat, template: str) -> None:
    """Add tokens, merges, special tokens and the chat template.

    Args:
        rows: of the embedding table; ids beyond the vocabulary are filled up.
        chat: how conversations are written.
        template: the same as a Jinja template.

    Raises:
        ConfigError: no such tokenizer is known to llama.cpp; or it has more tokens than rows.
    """
    if not getattr(tokenizer, "is_fast", False):
        raise ConfigError(
            f"the tokenizer {type(tokenizer).__name__} has no tokenizer.json", "use a fast tokenizer"
        )
    described = json.loads(tokenizer.backend_tokenizer.to_str())
    model = described["model"]
    if model["type"] != "BPE":
        raise ConfigError(
            f"a tokenizer of type {model['type']} is not written as GGUF", "use the model through its preset"
        )
    merges = [one if isinstance(one, str) else " ".join(one) for one in model["merges"]]
    tokens, types = _tokens(tokenizer, rows)
    if model.get("byte_fallback"):
        writer.add_tokenizer_model("llama")
        writer.add_tokenizer_pre("default")
        writer.add_token_scores(_scores(tokens, merges))
        types = [
            _byte_type() if _BYTE.fullmatch(token) else kind
            for token, kind in zip(tokens, types, strict=True)
        ]
        writer.add_add_space_prefix(_begins_with_a_blank(described))
    else:
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre(cutting(described))
        writer.add_token_merges(merges)
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    for kind in ("bos", "eos", "unk", "pad"):
        token = getattr(tokenizer, f"{kind}_token_id")
        if token is not None:
            getattr(writer, f"add_{kind}_token_id")(token)
    # Nothing is added but what the chat template writes, as in training.
    first = chat.frame(("user",))[0]
    writer.add_add_bos_token(bool(tokenizer.bos_token) and first.startswith(tokenizer.bos_token))
    writer.add_add_eos_token(False)
    writer.add_chat_template(template)


def cutting(described: dict[str, Any]) -> str:
    """llama.cpp's name for the pre-tokenizer of a `tokenizer.json`.

    Raises:
        ConfigError: it has none.
    """
    top = described.get("pre_tokenizer") or {}
    steps = top.get("pretokenizers", [top])
    kinds = [step.get("type") for step in steps]
    if kinds == ["ByteLevel"] and steps[0].get("use_regex", True):
        return "gpt-2"
    if kinds == ["Digits", "ByteLevel"] and steps[0].get("individual_digits"):
        return "smollm"
    if kinds == ["Split", "ByteLevel"]:
        pattern = steps[0].get("pattern", {}).get("Regex", "")
        for part, name in _PATTERNS.items():
            if part in pattern:
                return name
    raise ConfigError(
        f"the tokenizer cuts text in a way ({', '.join(map(str, kinds))}) that is not written as GGUF",
        "use a language model of the Llama, Qwen or SmolLM families, or the model through its preset",
    )


def _tokens(tokenizer: Any, rows: int) -> tuple[list[str], list[int]]:
    import gguf

    kinds = gguf.TokenType
    known = {index: token for token, index in tokenizer.get_vocab().items()}
    if max(known) >= rows:
        raise ConfigError(
            f"the tokenizer has {max(known) + 1} tokens, the embedding table {rows} rows",
            "use the tokenizer that belongs to the model",
        )
    added = tokenizer.added_tokens_decoder
    tokens = [known.get(index, f"[PAD{index}]") for index in range(rows)]
    types = [
        (kinds.CONTROL if added[index].special else kinds.USER_DEFINED)
        if index in added
        else (kinds.NORMAL if index in known else kinds.UNUSED)
        for index in range(rows)
    ]
    return tokens, [int(one) for one in types]


def _byte_type() -> int:
    import gguf

    return int(gguf.TokenType.BYTE)


def _scores(tokens: list[str], merges: list[str]) -> list[float]:
    """llama.cpp merges the pair whose result scores best: that is the order of the merges."""
    order: dict[str, int] = {}
    for place, merge in enumerate(merges):
        order.setdefault(merge.replace(" ", ""), place)
    return [-float(order[token]) if token in order else _UNMERGED for token in tokens]


def _begins_with_a_blank(described: dict[str, Any]) -> bool:
    text = json.dumps([described.get("normalizer"), described.get("pre_tokenizer")])
    return '"Prepend"' in text or '"prepend_scheme": "always"' in text or '"prepend_scheme": "first"' in text
