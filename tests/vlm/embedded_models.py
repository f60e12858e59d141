"""The embedded model's parts, tiny and random but of the real classes: tokenizer, engine, pointer, eyes."""

import io
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from llava_agent.vlm.build.shipped import DIAL_HEAD, TOWER
from llava_agent.vlm.dial_encoder import DialHead
from llava_agent.vlm.engines.torch_engine import TorchEngine
from llava_agent.vlm.eyes import REGION_PROJECTOR, STATISTICS
from llava_agent.vlm.language import LanguageIdentity, LanguageModel
from llava_agent.vlm.naming import Vocabulary
from llava_agent.vlm.pointer import Pointer
from llava_agent.vlm.pointer_head import PointerHead
from llava_agent.vlm.prompt import ACT_VERBS, ASK_VERBS, END, PLACEHOLDER, START
from llava_agent.vlm.reader import Reader
from llava_agent.vlm.reader_head import ReaderHead
from llava_agent.vlm.region_encoder import REGION_FEATURES, new_tower
from llava_agent.vlm.regions import GEOMETRY_SIZE
from projector.modules import Projector, ProjectorConfig
from tests.vlm.language_models import llama_config

HIDDEN = 64
FEATURES = REGION_FEATURES + GEOMETRY_SIZE


@cache
def _tokenizer() -> str:
    """Bytes, and merges that make each verb one token, as in SmolLM2's vocabulary."""
    pieces = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges: list[tuple[str, str]] = []
    # In this order no merge of one verb tears another one apart.
    for verb in sorted((*ACT_VERBS, *ASK_VERBS), key=lambda verb: verb in ("read", "none")):
        for end in range(2, len(verb) + 1):
            if verb[:end] not in pieces:
                pieces.append(verb[:end])
                merges.append((verb[: end - 1], verb[end - 1]))
    tokenizer = Tokenizer(models.BPE({piece: index for index, piece in enumerate(pieces)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([START, END, PLACEHOLDER])
    return tokenizer.to_str()


def prompt_tokenizer() -> Tokenizer:
    """A tokenizer in the format of the embedded model's; a new one each time."""
    return Tokenizer.from_str(_tokenizer())


def tiny_causal(seed: int = 0) -> LlamaForCausalLM:
    torch.manual_seed(seed)
    vocabulary = prompt_tokenizer().get_vocab_size()
    return LlamaForCausalLM(
        llama_config(vocab_size=vocabulary, hidden_size=HIDDEN, initializer_range=0.1)
    ).eval()


def tiny_engine(seed: int = 0) -> TorchEngine:
    fast = PreTrainedTokenizerFast(tokenizer_object=prompt_tokenizer(), eos_token=END)
    return TorchEngine(LanguageModel(tiny_causal(seed), fast, LanguageIdentity("tiny")))


@cache
def random_head(seed: int, hidden: int = HIDDEN) -> PointerHead:
    """A head whose scores differ clearly."""
    torch.manual_seed(seed)
    head = PointerHead(hidden).requires_grad_(False)
    for parameter in head.parameters():
        parameter.copy_(torch.randn_like(parameter) * 0.3)
    return head


def pointer_of(head: PointerHead) -> Pointer:
    return Pointer({name: value.numpy() for name, value in head.state_dict().items()})


@cache
def random_reader(seed: int, hidden: int = HIDDEN) -> ReaderHead:
    """A reader whose scores differ clearly."""
    torch.manual_seed(seed)
    head = ReaderHead(hidden).requires_grad_(False).eval()
    for parameter in head.parameters():
        parameter.add_(torch.randn_like(parameter) * 0.1)
    return head


def reader_of(head: ReaderHead, tokenizer: Tokenizer, embed: Callable[[np.ndarray], np.ndarray]) -> Reader:
    return Reader({name: value.numpy() for name, value in head.state_dict().items()}, tokenizer, embed)


def photo() -> bytes:
    """A PNG of 120 x 90 pixels of noise."""
    data = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(data, "PNG")
    return data.getvalue()


def ship_tower(folder: Path) -> None:
    """Random tower and dial head as the package ships them."""
    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    for name, module in ((TOWER, new_tower()), (DIAL_HEAD, DialHead())):
        state = {k: v.half() if v.is_floating_point() else v for k, v in module.state_dict().items()}
        save_file({k: v.contiguous() for k, v in state.items()}, folder / name)


def ship_eyes(folder: Path, kinds: tuple[str, ...] = ("gear icon", "button")) -> Projector:
    """Random region projector, statistics and vocabulary as the package ships them."""
    torch.manual_seed(1)
    folder.mkdir(parents=True, exist_ok=True)
    projector = Projector(ProjectorConfig("mlp2x_gelu", FEATURES, HIDDEN)).requires_grad_(False)
    (folder / REGION_PROJECTOR).mkdir(exist_ok=True)
    save_file(projector.state_dict(), folder / REGION_PROJECTOR / "projector.safetensors")
    random = np.random.default_rng(0)
    mean = random.normal(size=FEATURES).astype(np.float32)
    np.savez(folder / STATISTICS, mean=mean, std=np.abs(mean) + 0.5)
    unit = random.normal(size=(len(kinds), 3, 256)).astype(np.float32)
    unit /= np.linalg.norm(unit, axis=-1, keepdims=True)
    Vocabulary(kinds, ("red", "blue"), unit[:, 0], unit[:, 1:]).save(folder)
    return projector
