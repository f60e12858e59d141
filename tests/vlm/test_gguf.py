from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from llava_agent.errors import ConfigError, WeightsError
from llava_agent.vlm.gguf import gguf_to_hf
from llava_agent.vlm.language import load_language_model
from tests.vlm.language_models import llama_config, tiny_llama, tiny_tokenizer

_NAMES = {
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
}  # fmt: skip


def interleaved(weight: np.ndarray, heads: int) -> np.ndarray:
    """GGUF pairs the rotary halves of q and k next to each other."""
    return weight.reshape(heads, 2, -1, weight.shape[1]).swapaxes(1, 2).reshape(weight.shape)


def write_gguf(path: Path) -> None:
    config = llama_config()
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(config.vocab_size)
    tokens = [tiny_tokenizer().convert_ids_to_tokens(i) or f"<unused{i}>" for i in range(config.vocab_size)]
    tokens[310] = "ab"  # what the one merge makes
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    kinds = [gguf.TokenType.NORMAL if i < 256 else gguf.TokenType.CONTROL for i in range(config.vocab_size)]
    writer.add_token_types(kinds)
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(256)
    writer.add_eos_token_id(257)
    for name, tensor in tiny_llama().state_dict().items():
        value = tensor.numpy()
        if name.startswith("model.layers."):
            _, _, index, rest = name.split(".", 3)
            stem = rest.removesuffix(".weight")
            if stem.endswith(("q_proj", "k_proj")):
                query = stem.endswith("q_proj")
                value = interleaved(
                    value, config.num_attention_heads if query else config.num_key_value_heads
                )
            name = f"blk.{index}.{_NAMES[stem]}.weight"
        else:
            known = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
            name = f"{known[name.removesuffix('.weight')]}.weight"
        writer.add_tensor(name, np.ascontiguousarray(value))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_a_gguf_becomes_a_folder_with_the_same_logits(tmp_path: Path) -> None:
    write_gguf(tmp_path / "tiny.gguf")
    folder = gguf_to_hf(tmp_path / "tiny.gguf", tmp_path / "out")
    model = AutoModelForCausalLM.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = torch.tensor([[5, 77, 130, 9, 201]])
    with torch.no_grad():
        torch.testing.assert_close(model(ids).logits, tiny_llama()(ids).logits, atol=1e-5, rtol=1e-5)
    text = "Pump 7: ok"
    assert tokenizer.decode(tokenizer(text, add_special_tokens=False).input_ids) == text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "tiny.gguf"]
    with pytest.raises(WeightsError, match="not an empty folder"):
        gguf_to_hf(tmp_path / "tiny.gguf", folder)
    language = load_language_model(str(tmp_path / "tiny.gguf"))
    assert language.identity.id == "tiny"
    assert language.fingerprint().embeddings == load_language_model(str(folder)).fingerprint().embeddings
    with pytest.raises(ConfigError, match="cannot be quantised"):
        load_language_model(str(tmp_path / "tiny.gguf"), quantisation="4-bit")


def test_files_that_are_no_gguf_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no GGUF file"):
        gguf_to_hf(tmp_path / "none.gguf", tmp_path / "out")
    (tmp_path / "bad.gguf").write_bytes(b"PK\x03\x04....")
    with pytest.raises(WeightsError, match="not a GGUF file"):
        gguf_to_hf(tmp_path / "bad.gguf", tmp_path / "out")
    write_gguf(tmp_path / "cut.gguf")
    whole = (tmp_path / "cut.gguf").read_bytes()
    (tmp_path / "cut.gguf").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(WeightsError, match="could not be read"):
        gguf_to_hf(tmp_path / "cut.gguf", tmp_path / "out")
    assert not (tmp_path / "out").exists()
