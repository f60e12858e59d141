import subprocess
import sys
from pathlib import Path

import pytest

from llava_agent.errors import ConfigError
from llava_agent.vlm.presets import (
    ComposedPreset,
    EmbeddedPreset,
    LlavaPreset,
    ServerPreset,
    list_presets,
    load_preset,
)
from llava_agent.vlm.weights import NAMES
from llava_agent.vlm.weights.sources import SMOLLM2

COMPOSED = """
kind: composed
summary: test
tower: {library: open_clip, model: ViT-B-32, pretrained: openai}
language: {model: here, image_token: <image>}
needs: []
"""


def test_shipped_presets_are_complete_and_say_what_they_need() -> None:
    presets = {preset.name: preset for preset in list_presets()}
    assert {"embedded", "embedded-text", "llava-1.5-7b", "clip-l336-qwen2.5-7b", "openai-compatible"} <= set(
        presets
    )
    for preset in presets.values():
        assert preset.summary
        assert preset.needs
        assert all(need.licence for need in preset.needs)
    assert isinstance(presets["llava-1.5-7b"], LlavaPreset)
    assert isinstance(presets["openai-compatible"], ServerPreset)
    composed = presets["clip-l336-qwen2.5-7b"]
    assert isinstance(composed, ComposedPreset)
    assert composed.tower.quick_gelu is True
    assert composed.size_mb == 890 + 15230


def test_embedded_presets_name_weights_that_can_be_pulled() -> None:
    embedded = [preset for preset in list_presets() if isinstance(preset, EmbeddedPreset)]
    assert {preset.name for preset in embedded if not preset.pixels} == {"embedded-text"}
    for preset in embedded:
        assert preset.weights in NAMES
        assert preset.size_mb == round(SMOLLM2.wheel_bytes / 1e6)
        assert f"{SMOLLM2.package}=={SMOLLM2.version}" in preset.needs[0].source


def test_a_file_of_ones_own_has_its_stem_as_name(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(COMPOSED + "decoding: {temperature: 1, max_tokens: 9}\n")
    preset = load_preset(str(path))
    assert isinstance(preset, ComposedPreset)
    assert (preset.name, preset.tower.layer, preset.language.quantisation) == ("mine", -2, "none")
    assert preset.decoding.temperature == 1.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("devise: cpu", "key 'devise' is unknown: did you mean 'device'"),
        ("projector: {kinds: linear}", r"key 'projector.kinds' is unknown: did you mean 'kind'"),
        ("decoding: {zzz: 1}", "key 'decoding.zzz' is unknown: known keys: max_tokens, temperature, top_p"),
        ("decoding: {top_p: 0}", r"decoding.top_p: input should be greater than 0"),
        ("decoding: {max_tokens: '9'}", r"decoding.max_tokens: input should be a valid integer"),
        ("engine: onnx", "engine: input should be 'torch'"),
        ("name: other", "key 'name' may not be set here"),
        ("summary: again", "the key 'summary' is there twice"),
        ("tower: {library: transformers, model: x, image_size: 99}", "the key 'tower' is there twice"),
        ("a: [", "not valid YAML"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, change: str, message: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(f"{COMPOSED}{change}\n")
    with pytest.raises(ConfigError, match=message):
        load_preset(str(path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n- b\n", "does not hold a mapping"),
        ("summary: x\n", "kind"),
        ("kind: composde\nsummary: x\nneeds: []\n", "composde"),
        ("kind: composed\nsummary: x\nneeds: []\n", "tower: field required"),
        ("kind: composed\nsumary: x\nneeds: []\n", "key 'sumary' is unknown: did you mean 'summary'"),
        (
            "kind: llava\nsummary: x\nmodel: m\nneeds: [{what: a, source: b, lisence: c}]\n",
            "did you mean 'licence'",
        ),
        ("kind: llava\nsummary: x\nmodel: m\nneeds: []\ntemplate: USER\n", "template needs {prompt}"),
        ("kind: server\nsummary: x\nmodel: m\nneeds: []\nbase_url: ftp://x\n", "base_url"),
        (
            "kind: composed\nsummary: x\nneeds: []\nlanguage: {model: m, image_token: t}\n"
            "tower: {library: transformers, model: m, image_size: 64}\n",
            "go with library open_clip only",
        ),
    ],
)
def test_bad_files_are_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_preset(str(path))


def test_unknown_names_and_absent_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'embedded'"):
        load_preset("embeded")
    with pytest.raises(ConfigError, match="presets: "):
        load_preset("quite-another")
    with pytest.raises(ConfigError, match="cannot read"):
        load_preset(str(tmp_path / "none.yaml"))


def test_listing_presets_imports_neither_torch_nor_an_engine() -> None:
    code = (
        "import sys; from llava_agent.vlm.presets import list_presets; list_presets();"
        "print(sorted({'torch', 'transformers', 'onnxruntime', 'open_clip'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
