"""`llava-agent export`: take what the product made elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from llava_agent.commands.options import AsJson
from llava_agent.commands.output import print_json, say

export = typer.Typer(
    name="export", help="Take a trained model, or what was recorded, elsewhere.", no_args_is_help=True
)

Run = Annotated[
    str, typer.Argument(metavar="RUN", help="Folder of a training run, a preset, or a preset's YAML file.")
]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to write; it may not exist yet.")]


@export.callback()
def _group() -> None:
    pass


@export.command("playwright")
def playwright(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a run that passed.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="Script to write, such as test_order.py.")
    ],
    as_json: AsJson = False,
) -> None:
    """Write a verified run as a plain Playwright script: it runs alone, and under pytest-playwright.

    \b
    Examples:
      llava-agent export playwright runs/20260102-101500 --out test_order.py
      URL=http://localhost:9000/ python test_order.py
    """
    from llava_agent.agent.export import export_playwright

    path = export_playwright(folder, out)
    if as_json:
        print_json({"script": str(path)})
    else:
        say(f"Script: {path}")


@export.command("hf")
def hf(run: Run, out: Out, as_json: AsJson = False) -> None:
    """Write a folder that LlavaForConditionalGeneration.from_pretrained loads; an adapter is merged.

    The folder is loaded back strictly and its logits are compared before it appears. Towers that are no plain
    ViT, projectors that are not mlp2x_gelu, and tiles have no place in that class and are refused.

    \b
    Examples:
      llava-agent export hf runs/align --out exported/mine
      llava-agent export hf llava-1.5-7b --out exported/llava --json
    """
    from training.export.hf import export_hf
    from training.export.source import preset_of, whole_model

    result = export_hf(whole_model(preset_of(run)), out)
    if as_json:
        print_json({"folder": str(result.folder), "difference": result.difference})
    else:
        say(f"{result.folder} loads in transformers; its logits differ by {result.difference:.1e}")


@export.command("onnx")
def onnx(
    run: Run,
    out: Out,
    precision: Annotated[
        Literal["int8", "int4", "fp32"], typer.Option("--precision", help="Of the language model.")
    ] = "int8",
    as_json: AsJson = False,
) -> None:
    """Write the files that the ONNX engine runs on a CPU, without torch; an adapter is merged.

    The files are loaded back and their logits compared before the folder appears: the least cosine is
    0.9999 for fp32, 0.99 for int8 and 0.9 for int4. Language models that are not laid out as Llama is, or
    that cap their logits, are refused.

    \b
    Examples:
      llava-agent export onnx runs/align --out exported/mine
      llava-agent export onnx runs/align --out exported/mine --precision fp32 --json
    """
    from training.export.onnx import export_onnx
    from training.export.source import preset_of, whole_model

    def told(step: str, done: int, total: int) -> None:
        if not as_json:
            say(f"[{done}/{total}] {step}")

    preset = preset_of(run).model_copy(update={"device": "cpu"})
    result = export_onnx(whole_model(preset), out, precision, told)
    if as_json:
        print_json({"folder": str(result.folder), "cosine": result.cosine, "difference": result.difference})
    else:
        say(f"{result.folder} runs on ONNX Runtime; least cosine of its logits {result.cosine:.5f}")
