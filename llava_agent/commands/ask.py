"""`llava-agent ask`: a question about an image, answered with its evidence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llava_agent.commands.options import AsJson, Preset
from llava_agent.commands.output import note, print_json, say

if TYPE_CHECKING:
    from llava_agent.agent.perceive import Answer


def ask(
    image: Annotated[Path, typer.Argument(help="Photo or screenshot (PNG, JPEG, WebP, HEIC, TIFF, ...).")],
    question: Annotated[str, typer.Argument(help="What you want to know, in your words.")],
    annotated: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the image with the evidence drawn on it.")
    ] = None,
    model: Preset = "auto",
    as_json: AsJson = False,
) -> None:
    """Answer a question about a photo or screenshot, with the region that supports the answer.

    "not visible" is a possible answer. Boxes are in the pixels of the image as it is shown upright.

    \b
    Examples:
      llava-agent ask examples/photos/pump.jpg "What is the serial number?"
      llava-agent ask pump.jpg "What is the pressure?" --annotated seen.png
      llava-agent ask page.png "Is the box checked?" --json
    """
    from llava_agent.agent.perceive import ask as answer_about
    from llava_agent.assembly import assemble

    core = assemble(model)
    answer = answer_about(image, question, core.gateway, core.find)
    if annotated is not None:
        from llava_agent.evidence import write_drawn

        write_drawn(image, answer, annotated)
    if as_json:
        print_json(answer.as_dict())
        return
    _print(answer)
    if annotated is not None:
        note(f"drawn in {annotated}")


def _print(answer: Answer) -> None:
    say(f"{answer.answer}   ({answer.confidence:.0%} sure)")
    for one in answer.evidence:
        place = f" at {', '.join(map(str, one.box))}" if one.box else ""
        say(f'  "{one.text}"{place} ({one.source})')
    tokens = answer.usage.prompt_tokens + answer.usage.output_tokens
    image = f", {answer.usage.image_tokens} of the image" if answer.usage.image_tokens else ""
    note(f"  {answer.model}, {tokens} tokens{image}, {answer.ms.get('total', 0.0) / 1000:.2f} s")
