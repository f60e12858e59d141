"""`llava-agent ask`: a question about an image, answered with its evidence."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llava_agent.commands.options import AsJson, Preset
from llava_agent.commands.output import note, print_json, say

if TYPE_CHECKING:
    from llava_agent.agent.perceive import Answer
    from llava_agent.assembly import Core
    from llava_agent.lab.explanation import Explanation


def ask(
    image: Annotated[Path, typer.Argument(help="Photo or screenshot (PNG, JPEG, WebP, HEIC, TIFF, ...).")],
    question: Annotated[str, typer.Argument(help="What you want to know, in your words.")],
    annotated: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the image with the evidence drawn on it.")
    ] = None,
    why: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write the image with the regions that drove the answer."),
    ] = None,
    by: Annotated[
        str,
        typer.Option(metavar="VIEW", help="How --why finds them: occlusion, pointer, attention, similarity."),
    ] = "occlusion",
    model: Preset = "auto",
    as_json: AsJson = False,
) -> None:
    """Answer a question about a photo or screenshot, with the region that supports the answer.

    "not visible" is a possible answer. Boxes are in the pixels of the image as it is shown upright.
    --why covers one region after the other and tells how much of the answer is lost without it, then
    tests that view on the photo itself; docs/lab.md explains the other views.

    \b
    Examples:
      llava-agent ask examples/photos/pump.jpg "What is the serial number?"
      llava-agent ask pump.jpg "What is the pressure?" --annotated seen.png
      llava-agent ask page.png "Is the box checked?" --json
      llava-agent ask pump.jpg "What is the serial number?" --why heat.png
    """
    from llava_agent.agent.perceive import ask as answer_about
    from llava_agent.assembly import assemble

    core = assemble(model)
    explanation = _explained(image, question, core, why, by) if why is not None else None
    answer = explanation.answer if explanation else answer_about(image, question, core.gateway, core.find)
    if annotated is not None:
        from llava_agent.evidence import write_drawn

        write_drawn(image, answer, annotated)
    if as_json:
        print_json((explanation or answer).as_dict())
        return
    _print(answer)
    if explanation is not None:
        _print_why(explanation)
    for path in (annotated, why):
        if path is not None:
            note(f"drawn in {path}")


def _explained(image: Path, question: str, core: Core, out: Path, by: str) -> Explanation:
    """The answer with what drove it, drawn into a file."""
    from llava_agent.evidence import require_place
    from llava_agent.lab.explain import explain, method_of
    from llava_agent.lab.heat import write_heat
    from tools.photo import load_image

    method = method_of(by)
    require_place(out)  # before the work
    photo = load_image(image)
    explanation = explain(photo, question, core, method, progress=_show)
    write_heat(photo.image, explanation.regions, out)
    return explanation


def _show(done: int, total: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r  looked at {done} of {total} regions" + ("\n" if done == total else ""))
        sys.stderr.flush()


def _print_why(found: Explanation) -> None:
    say(f"Why, by {found.method}:" if found.regions else f"Why, by {found.method}: no region stands out.")
    for region in found.regions[:8]:
        what = f'"{region.text}" {region.role}'.strip() if region.role else "here"
        share = f"{region.share:4.0%} lost" if found.method == "occlusion" else f"{region.share:4.0%}"
        pixels = f" ({region.pixels:.0%} by its pixels alone)" if region.pixels is not None else ""
        then = f", then: {region.instead}" if region.instead else ""
        say(f"  {share}  {what} at {', '.join(map(str, region.box))}{pixels}{then}")
    if found.deletion is not None:
        test = found.deletion
        say(f"Test: with the first covered on the photo, {test.answer} ({test.confidence:.0%} sure)")
        if test.other is not None:
            say(f"      with another one covered, {test.other_answer} ({test.other_confidence:.0%} sure)")
    note(f"  {found.calls} calls, {found.seconds:.1f} s")


def _print(answer: Answer) -> None:
    say(f"{answer.answer}   ({answer.confidence:.0%} sure)")
    for one in answer.evidence:
        place = f" at {', '.join(map(str, one.box))}" if one.box else ""
        say(f'  "{one.text}"{place} ({one.source})')
    tokens = answer.usage.prompt_tokens + answer.usage.output_tokens
    image = f", {answer.usage.image_tokens} of the image" if answer.usage.image_tokens else ""
    note(f"  {answer.model}, {tokens} tokens{image}, {answer.ms.get('total', 0.0) / 1000:.2f} s")
