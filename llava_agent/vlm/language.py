"""Causal language models of transformers: hub id, local folder or GGUF file; full, 8-bit or 4-bit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from llava_agent.errors import ConfigError, WeightsError
from projector import LanguageFingerprint, sign_hash

Quantisation = Literal["none", "8-bit", "4-bit"]


@dataclass(frozen=True, slots=True)
class LanguageIdentity:
    """Name of a language model for fingerprints: `id` is never a path."""

    id: str
    revision: str = ""


class LanguageModel(nn.Module):
    """A causal language model that is fed with embeddings.

    The model's own class is used as it is, through `inputs_embeds`; nothing is subclassed or patched.

    Args:
        model: any `AutoModelForCausalLM`.
        tokenizer: its tokenizer (transformers).
        identity: its name.
    """

    def __init__(self, model: Any, tokenizer: Any, identity: LanguageIdentity) -> None:
        super().__init__()
        self.model: Any = model
        self.tokenizer = tokenizer
        self.identity = identity

    @property
    def hidden_size(self) -> int:
        return int(self._table.weight.shape[1])

    @property
    def vocab_size(self) -> int:
        """Width of the logits; may be more than the tokenizer has tokens."""
        return int(self.model.config.get_text_config().vocab_size)

    @property
    def device(self) -> torch.device:
        return self._table.weight.device

    @property
    def dtype(self) -> torch.dtype:
        return self._table.weight.dtype

    @property
    def _table(self) -> Any:
        return self.model.get_input_embeddings()

    def embed(self, ids: Tensor) -> Tensor:
        """Embeddings `[..., D]` of token ids `[...]`."""
        return self._table(ids)

    def hidden(
        self, embeddings: Tensor, attention_mask: Tensor | None = None, position_ids: Tensor | None = None
    ) -> Tensor:
        """Last hidden states (after the final norm) `[B, T, D]` of `[B, T, D]` embeddings.

        Args:
            attention_mask: `[B, T]`, 1 on real positions; padding stands on the right.
            position_ids: `[B, T]` for samples laid end to end: each begins at 0 again and sees
                itself alone. Only without a mask.
        """
        decoder = self.model.get_decoder()
        return decoder(
            inputs_embeds=embeddings,
            use_cache=False,
            **_seen(attention_mask, position_ids),
        ).last_hidden_state

    def logits_at(
        self,
        embeddings: Tensor,
        attention_mask: Tensor | None,
        positions: Tensor,
        position_ids: Tensor | None = None,
    ) -> Tensor:
        """Logits `[M, V]` of the positions chosen by a boolean mask `[B, T]`, row by row.

        The LM head runs on these positions only.
        """
        if self.head_is_plain:
            chosen = self.hidden(embeddings, attention_mask, position_ids)[positions]
            return self.model.get_output_embeddings()(chosen)
        # Some heads scale or cap their logits; then the model's own forward computes the columns that any
        # row needs, and the mask picks from them.
        columns = positions.any(0).nonzero().flatten()
        out = self.model(
            inputs_embeds=embeddings,
            logits_to_keep=columns,
            use_cache=False,
            **_seen(attention_mask, position_ids),
        )
        return out.logits[positions[:, columns]]

    @cached_property
    def head_is_plain(self) -> bool:
        """Whether the logits are the output embedding applied to the last hidden state and nothing more."""
        seen: list[Tensor] = []
        hook = self.model.get_decoder().register_forward_hook(lambda _m, _i, out: seen.append(out[0]))
        try:
            with torch.no_grad():
                logits = self.model(
                    inputs_embeds=self.embed(torch.arange(2, device=self.device)[None])
                ).logits
                plain = self.model.get_output_embeddings()(seen[0])
        finally:
            hook.remove()
        return plain.shape == logits.shape and torch.equal(plain, logits)

    def fingerprint(self) -> LanguageFingerprint:
        """What a projector into this model depends on."""
        return LanguageFingerprint(
            id=self.identity.id,
            revision=self.identity.revision,
            hidden_size=self.hidden_size,
            tokenizer=tokenizer_fingerprint(self.tokenizer),
            embeddings=embedding_hash(self._table.weight),
        )


def _seen(attention_mask: Tensor | None, position_ids: Tensor | None) -> dict[str, Tensor | None]:
    """What a position sees: transformers makes the mask of samples laid end to end from positions."""
    if position_ids is None:
        return {"attention_mask": attention_mask}
    return {"attention_mask": None, "position_ids": position_ids}


def embedding_hash(table: Tensor) -> str:
    """Hash of an embedding table `[V, D]`, the same at any float precision."""
    return sign_hash([table])


def tokenizer_fingerprint(tokenizer: Any) -> str:
    """Hash over vocabulary, added tokens and chat template of a transformers tokenizer (16 hex digits)."""
    added = {index: (str(token), token.special) for index, token in tokenizer.added_tokens_decoder.items()}
    content = {
        "vocabulary": sorted(tokenizer.get_vocab().items()),
        "added": sorted(added.items()),
        "template": getattr(tokenizer, "chat_template", None) or "",
    }
    text = json.dumps(content, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def default_dtype(device: str) -> torch.dtype:
    """Half precision only where it is faster: on a GPU."""
    return torch.bfloat16 if torch.device(device).type == "cuda" else torch.float32


def load_language_model(
    source: str,
    *,
    quantisation: Quantisation = "none",
    revision: str | None = None,
    device: str = "cpu",
    dtype: torch.dtype | None = None,
) -> LanguageModel:
    """Load a model and its tokenizer.

    Args:
        source: hub id, folder, or path of a `.gguf` file (which becomes full precision).
        quantisation: `8-bit` and `4-bit` (nf4) through bitsandbytes.
        revision: commit, tag or branch on the hub.
        device: where to put it.
        dtype: precision of what is not quantised; float32 on a CPU and bfloat16 on a GPU by default.

    Raises:
        ConfigError: the options do not go together.
        WeightsError: the weights cannot be had or are incomplete.
    """
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM, AutoTokenizer

    if quantisation not in ("none", "8-bit", "4-bit"):
        raise ConfigError(f"quantisation {quantisation!r} is unknown", "use none, 8-bit or 4-bit")
    dtype = dtype or default_dtype(device)
    path = Path(source).expanduser()
    if path.suffix == ".gguf":
        from llava_agent.vlm.gguf import load_gguf

        if quantisation != "none":
            raise ConfigError(
                "a GGUF file cannot be quantised again while it is loaded",
                "convert it once with gguf_to_hf and load the folder",
            )
        model, tokenizer = load_gguf(path, dtype)
        return LanguageModel(model.to(device).eval(), tokenizer, LanguageIdentity(path.stem))
    name = str(path) if path.is_dir() else source
    options: dict[str, Any] = {"dtype": dtype, "device_map": {"": device}}
    if quantisation != "none":
        options["quantization_config"] = bitsandbytes_config(quantisation, dtype)
    if revision:
        options["revision"] = revision
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, revision=revision or "main")
        loaded: Any = AutoModelForCausalLM.from_pretrained(name, output_loading_info=True, **options)
        model, report = loaded
    except (OSError, ValueError, SafetensorError) as error:
        raise WeightsError(
            f"the language model {source!r} could not be loaded ({str(error).strip().splitlines()[0]})",
            "check the name and that its weights are on this machine or can be fetched",
        ) from error
    if missing := sorted(report["missing_keys"]):
        raise WeightsError(f"the language model {source!r} lacks weights, first {missing[0]!r}")
    identity = path.resolve().name if path.is_dir() else source
    return LanguageModel(model.eval(), tokenizer, LanguageIdentity(identity, revision or ""))


def bitsandbytes_config(quantisation: Quantisation, dtype: torch.dtype, keep: Sequence[str] = ()) -> Any:
    """Settings of transformers for `8-bit` or `4-bit` (nf4, computing in `dtype`).

    Modules whose full names match a pattern in `keep` stay in `dtype`; the output embedding always does.
    """
    from transformers import BitsAndBytesConfig

    # None lets transformers find the output embedding, whatever its name.
    skip = ["lm_head", *keep] if keep else None
    if quantisation == "8-bit":
        return BitsAndBytesConfig(load_in_8bit=True, llm_int8_skip_modules=skip)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_compute_dtype=dtype,
        llm_int8_skip_modules=skip,
    )
