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


@export.command("gguf")
def gguf(
    run: Run,
    out: Out,
    precision: Annotated[
        Literal["f16", "f32", "q8_0"],
        typer.Option("--precision", help="Of the language model; tower and projector stay f16 or f32."),
    ] = "f16",
    allow_class_token_defect: Annotated[
        bool,
        typer.Option(
            "--allow-class-token-defect",
            help="Write files of a CLIP tower although llama.cpp computes those wrongly (its issue 25814).",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write model.gguf and mmproj.gguf for llama.cpp's multimodal tools; an adapter is merged.

    llama.cpp runs the files before the folder appears, and its next-token distributions after an image are
    compared with the model's: they may differ by 0.01 (f32), 0.03 (f16) or 0.1 (q8_0) of the probability.
    Needs pip install 'llava-agent[gguf]'. Towers that are no plain ViT, images that are not padded to a
    square, projectors other than mlp2x_gelu and language models other than Llama, Mistral, Qwen are refused.

    \b
    Examples:
      llava-agent export gguf runs/align --out exported/mine
      llama-mtmd-cli -m exported/mine/model.gguf --mmproj exported/mine/mmproj.gguf --jinja --image photo.jpg
    """
    from training.export.gguf.export import export_gguf
    from training.export.source import preset_of, whole_model

    def told(step: str, done: int, total: int) -> None:
        if not as_json:
            say(f"[{done}/{total}] {step}")

    preset = preset_of(run)
    result = export_gguf(
        whole_model(preset), out, template=preset.template, precision=precision,
        allow_class_token_defect=allow_class_token_defect, progress=told,
    )  # fmt: skip
    if as_json:
        print_json(
            {
                "folder": str(result.folder),
                "difference": result.difference,
                "class_token_defect": result.class_token_defect,
            }
        )
        return
    say(f"{result.folder} runs in llama.cpp; next-token distributions differ by {result.difference:.4f}")
    if result.class_token_defect:
        say("This llama.cpp puts the tower's class token in the wrong place; use a mended one.")
