"""Tiny random language models of the real classes, and a small byte-level tokenizer.

Widths are multiples of 64, the block of 4-bit weights.
"""

from functools import cache
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    CLIPVisionConfig,
    LlamaConfig,
    LlamaForCausalLM,
    LlavaConfig,
    LlavaForConditionalGeneration,
    PreTrainedTokenizerFast,
)

from llava_agent.vlm.language import LanguageIdentity, LanguageModel

IMAGE = 300
VOCABULARY = 320


@cache
def tiny_tokenizer() -> PreTrainedTokenizerFast:
    """256 bytes, then `<s>`, `</s>` and a few common words."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: index for index, letter in enumerate(letters)}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>")
    fast.add_special_tokens({"additional_special_tokens": [f"<extra{i}>" for i in range(42)] + ["<image>"]})
    fast.chat_template = "{% for m in messages %}[{{ m['role'] }}]{{ m['content'] }}{% endfor %}[assistant]"
    assert fast.convert_tokens_to_ids("<image>") == IMAGE
    return fast


def llama_config(**changes: object) -> LlamaConfig:
    settings: dict[str, object] = {
        "vocab_size": VOCABULARY, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 512,
        "bos_token_id": 256, "eos_token_id": 257, "pad_token_id": None,
    }  # fmt: skip
    return LlamaConfig(**(settings | changes))  # type: ignore[arg-type]


def tiny_llama(seed: int = 0) -> LlamaForCausalLM:
    torch.manual_seed(seed)
    return _spread(LlamaForCausalLM(llama_config()).eval())


def tiny_language(seed: int = 0) -> LanguageModel:
    return LanguageModel(tiny_llama(seed), tiny_tokenizer(), LanguageIdentity("tiny-llama"))


def save_language(folder: Path) -> Path:
    tiny_llama().save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder


def tiny_llava(**changes: object) -> LlavaForConditionalGeneration:
    torch.manual_seed(1)
    vision = CLIPVisionConfig(
        hidden_size=24, intermediate_size=32, num_hidden_layers=3, num_attention_heads=2, image_size=32,
        patch_size=8, projection_dim=16,
    )  # fmt: skip
    config = LlavaConfig(
        vision_config=vision,
        text_config=llama_config(),
        image_token_index=IMAGE,
        image_seq_length=16,
        **changes,  # type: ignore[arg-type]
    )
    return _spread(LlavaForConditionalGeneration(config).eval())


def _spread(model):  # type: ignore[no-untyped-def]
    """Larger weights than at initialisation, so that logits differ clearly and greedy runs do not tie."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(5)
    return model
