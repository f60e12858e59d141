"""GGUF files, run by llama.cpp itself."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, SiglipVisionConfig, SiglipVisionModel
from typer.testing import CliRunner

from llava_agent.cli import app
from llava_agent.errors import ConfigError, WeightsError
from llava_agent.vlm.chat import Chat, Turn
from llava_agent.vlm.language import LanguageIdentity, LanguageModel
from llava_agent.vlm.llava import LlavaModel
from llava_agent.vlm.vision.hf_tower import HfTower
from llava_agent.vlm.vision.preprocess import Preprocess
from llava_agent.vlm.vision.tower import TowerIdentity
from llava_agent.vlm.weights.store import Manifest
from projector import ProjectorConfig, build_projector
from tests.training.llava.tiny import config, write_data
from tests.vlm.language_models import IMAGE, tiny_llama
from tests.vlm.towers import save_open_clip, tiny_tower
from training.export.gguf import export as exporting
from training.export.gguf.export import LANGUAGE, VISION, export_gguf
from training.export.gguf.tokenizer import cutting
from training.export.template import jinja_template
from training.llava.run import train
from training.llava.settings import read_settings

pytest.importorskip("xllamacpp")


def tokenizer() -> PreTrainedTokenizerFast:
    """Bytes and two merges, which llama.cpp will not go without."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: index for index, letter in enumerate([*letters, "he", "Ġt"])}
    made = Tokenizer(models.BPE(vocabulary, [("h", "e"), ("Ġ", "t")]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=made, bos_token="<s>", eos_token="</s>")
    fast.add_special_tokens({"additional_special_tokens": [f"<extra{i}>" for i in range(40)] + ["<image>"]})
    fast.chat_template = "{% for m in messages %}[{{ m['role'] }}]{{ m['content'] }}{% endfor %}[assistant]"
    assert fast.convert_tokens_to_ids("<image>") == IMAGE
    return fast


def siglip(layer: object = -2) -> HfTower:
    torch.manual_seed(3)
    shape = SiglipVisionConfig(
        hidden_size=24, intermediate_size=48, num_hidden_layers=3, num_attention_heads=2, image_size=32,
        patch_size=8,
    )  # fmt: skip
    preprocess = Preprocess(32, "pad")
    return HfTower(SiglipVisionModel(shape).eval(), TowerIdentity("siglip"), preprocess, layer=layer)  # type: ignore[arg-type]


def model(tower: object = None, kind: str = "mlp2x_gelu") -> LlavaModel:
    tower = tower or siglip()
    projector = build_projector(ProjectorConfig(kind, tower.hidden_size, 64), seed=0)  # type: ignore[attr-defined]
    with torch.no_grad():
        for parameter in projector.parameters():
            parameter.mul_(3)  # so that the image matters
    language = LanguageModel(tiny_llama(), tokenizer(), LanguageIdentity("tiny"))
    return LlavaModel(tower, projector, language, IMAGE)  # type: ignore[arg-type]


@pytest.mark.parametrize(("precision", "allowed"), [("f32", 2e-3), ("q8_0", 0.1)])
def test_llama_cpp_computes_what_the_model_does(tmp_path: Path, precision: Any, allowed: float) -> None:
    """Several layers of a tower without a class token, and a template of the preset's own."""
    ours = model(siglip((0, -2)))
    found = export_gguf(ours, tmp_path / "out", template="USER: {prompt} ASSISTANT:", precision=precision)
    assert found.difference < allowed and not found.class_token_defect
    manifest = Manifest.load(tmp_path / "out")
    assert manifest is not None and manifest.damaged(tmp_path / "out") == []
    assert set(manifest.files) == {LANGUAGE, VISION}
    with pytest.raises(ConfigError, match="exists"):
        export_gguf(model(), tmp_path / "out")


def test_a_run_with_a_clip_tower_is_written_only_where_the_defect_is_allowed(tmp_path: Path) -> None:
    """The weights are right: llama.cpp's numbers are those of the model with llama.cpp's fault."""
    save_open_clip(tmp_path / "tower")
    tiny_llama().save_pretrained(tmp_path / "language")
    tokenizer().save_pretrained(tmp_path / "language")
    write_data(tmp_path)
    rates = {"adapter": 0.05, "projector": 0.05}
    train(read_settings(config(tmp_path, stage="lora", steps=2, rates=rates)), tmp_path / "run")
    command = ["export", "gguf", str(tmp_path / "run"), "--out", str(tmp_path / "out"), "--json"]
    refused = CliRunner().invoke(app, command)
    if refused.exit_code == 0:
        pytest.skip("this llama.cpp is mended")
    assert "class token" in str(refused.exception) and not (tmp_path / "out").exists()
    written = CliRunner().invoke(app, [*command, "--precision", "f32", "--allow-class-token-defect"])
    assert written.exit_code == 0, written.output
    assert json.loads(written.stdout)["class_token_defect"] is True
    assert json.loads(written.stdout)["difference"] < 2e-3
    assert not [one.name for one in tmp_path.iterdir() if one.name.startswith(".out")]


def test_files_that_compute_something_else_do_not_appear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = exporting.write_vision

    def damaged(ours: LlavaModel, path: Path, precision: str) -> None:
        with torch.no_grad():
            ours.projector.layers[2].weight.mul_(-1)
            write(ours, path, precision)  # type: ignore[arg-type]
            ours.projector.layers[2].weight.mul_(-1)

    monkeypatch.setattr(exporting, "write_vision", damaged)
    with pytest.raises(WeightsError, match="distributions differ"):
        export_gguf(model(), tmp_path / "out", precision="f32")
    monkeypatch.setattr(exporting, "write_vision", lambda ours, path, precision: path.write_bytes(b"GGUF"))
    with pytest.raises(WeightsError, match=r"llama\.cpp cannot run the files"):
        export_gguf(model(), tmp_path / "out", precision="f32")
    assert list(tmp_path.iterdir()) == []


def test_what_has_no_place_is_refused_with_the_reason(tmp_path: Path) -> None:
    def refused(ours: LlavaModel, said: str) -> None:
        with pytest.raises(ConfigError, match=said):
            export_gguf(ours, tmp_path / "out")
        assert list(tmp_path.iterdir()) == []

    refused(model(kind="linear"), "no projector of kind linear")
    refused(model(tiny_tower(mode="tiles")), "sees it by 'tiles'")
    strange = model()
    strange.language.model.config.model_type = "gpt2"
    refused(strange, "type 'gpt2' is not written")
    scaled = model()
    scaled.language.model.config.rope_parameters = {"rope_type": "yarn", "rope_theta": 1e4}
    refused(scaled, "scales its rotary embedding .yarn")
    other = model()
    other.language.tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    refused(other, "cuts text in a way .Whitespace")


def test_ways_of_cutting_text_have_llama_cpps_names() -> None:
    byte_level = {"type": "ByteLevel", "use_regex": False}
    for pattern, name in (
        (r"(?i:'s|'t)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+", "qwen2"),
        (r"(?i:'s|'t)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+", "llama-bpe"),
    ):
        steps = [{"type": "Split", "pattern": {"Regex": pattern}}, byte_level]
        assert cutting({"pre_tokenizer": {"type": "Sequence", "pretokenizers": steps}}) == name
    digits = [{"type": "Digits", "individual_digits": True}, byte_level]
    assert cutting({"pre_tokenizer": {"type": "Sequence", "pretokenizers": digits}}) == "smollm"


@pytest.mark.parametrize("template", ["<s>A chat. USER: {prompt} ASSISTANT:", "{prompt}\n"])
def test_a_prompt_template_becomes_the_same_words_in_jinja(template: str) -> None:
    made = tokenizer()
    chat = Chat(made, IMAGE, template)
    made.chat_template = jinja_template(made, template)
    turns = [("system", "Be 'brief'."), ("user", "Hi {{ x }}"), ("assistant", "Ho"), ("user", "So?")]
    wanted = chat.text(chat.render([Turn(role, text) for role, text in turns]).ids)  # type: ignore[arg-type]
    messages = [{"role": role, "content": text} for role, text in turns]
    assert made.apply_chat_template(messages, tokenize=False) == wanted
