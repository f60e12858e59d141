"""The language model as a GGUF file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from llava_agent.errors import ConfigError
from llava_agent.vlm.chat import Chat
from llava_agent.vlm.language import LanguageModel
from training.export.gguf.file import Precision, file_type, fitting, write
from training.export.gguf.tokenizer import add_tokenizer


@dataclass(frozen=True, slots=True)
class _Layout:
    """Attributes:
    name: of the architecture in llama.cpp.
    interleaved: whether its rotary embedding turns neighbours (2i, 2i + 1), where transformers turns
        i and i + d/2; rows of the query and key matrices are then put into that order.
    """

    name: str
    interleaved: bool


#: transformers' `model_type` to llama.cpp's architecture.
_LAYOUTS = {
    "llama": _Layout("llama", True),
    "mistral": _Layout("llama", True),
    "qwen2": _Layout("qwen2", False),
    "qwen3": _Layout("qwen3", False),
}


def require_language(language: LanguageModel) -> None:
    """ConfigError with the reason where llama.cpp would compute something else."""
    kind, config = type(language.model).__name__, language.model.config
    if not language.head_is_plain:
        raise ConfigError(f"{kind} scales or caps its logits", "use the model through its preset")
    if config.model_type not in _LAYOUTS:
        raise ConfigError(
            f"a language model of type {config.model_type!r} is not written as GGUF",
            f"only {', '.join(_LAYOUTS)} are; export hf and convert that with llama.cpp's own script",
        )
    rotary = config.rope_parameters.get("rope_type", "default")
    if rotary != "default":
        raise ConfigError(
            f"{kind} scales its rotary embedding ({rotary})", "use the model through its preset"
        )
    slides = getattr(config, "sliding_window", None) and getattr(config, "use_sliding_window", True)
    if slides:
        raise ConfigError(f"{kind} attends through a sliding window", "use the model through its preset")


def write_language(
    language: LanguageModel, chat: Chat, template: str, path: Path, precision: Precision
) -> None:
    """Write weights, shape, tokenizer and chat template.

    Raises:
        ConfigError: the tokenizer is of a kind that llama.cpp does not know by this project's names.
    """
    import gguf

    config = language.model.config
    layout = _LAYOUTS[config.model_type]
    writer = gguf.GGUFWriter(path, layout.name)
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_name(language.identity.id)
    writer.add_file_type(file_type(precision))
    _add_shape(writer, config)
    add_tokenizer(writer, language.tokenizer, language.vocab_size, chat, template)
    tensors = _tensors(language, layout)
    write(writer, tensors, {name: fitting(one, precision) for name, one in tensors.items()})


def _add_shape(writer: Any, config: Any) -> None:
    heads = config.num_attention_heads
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // heads
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(heads)
    writer.add_head_count_kv(config.num_key_value_heads or heads)
    writer.add_key_length(head_dim)
    writer.add_value_length(head_dim)
    writer.add_rope_dimension_count(head_dim)
    writer.add_rope_freq_base(float(config.rope_parameters["rope_theta"]))
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)


def _tensors(language: LanguageModel, layout: _Layout) -> dict[str, Tensor]:
    import gguf

    config = language.model.config
    arch = next(key for key, name in gguf.MODEL_ARCH_NAMES.items() if name == layout.name)
    names = gguf.get_tensor_name_map(arch, config.num_hidden_layers)
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    found: dict[str, Tensor] = {}
    for key, tensor in language.model.state_dict().items():
        if config.tie_word_embeddings and key == "lm_head.weight":
            continue  # llama.cpp takes the embedding table where there is no head
        name = names.get_name(key, (".weight", ".bias"))
        if name is None:
            raise ConfigError(
                f"{type(language.model).__name__} has a part {key!r} that llama.cpp has no place for",
                "use the model through its preset",
            )
        part = key.split(".")[-2]
        if layout.interleaved and part in heads:
            tensor = _interleaved(tensor, heads[part])
        found[name] = tensor
    return found


def _interleaved(rows: Tensor, heads: int) -> Tensor:
    """Rows of a query or key projection, from halves of a head to neighbours."""
    shape = rows.shape
    return rows.reshape(heads, 2, shape[0] // heads // 2, *shape[1:]).transpose(1, 2).reshape(shape)
