"""The section *Ask*: a photo, a question, an answer with its evidence drawn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

# Not inside the function: gradio reads `gr.Request` from the handlers' annotations, by this module's names.
import gradio as gr

from llava_agent.agent.perceive import ask
from llava_agent.assembly import Core
from llava_agent.errors import ImageError, LlavaAgentError
from llava_agent.gateway.ledger import Ledger
from llava_agent.ui.caller import caller
from llava_agent.ui.cards import answer_card, hint_card, problem_card
from llava_agent.ui.tab import Tab

if TYPE_CHECKING:
    from PIL import Image

#: What the section shows: a card, the picture with its evidence, the JSON.
Shown = tuple[str, "Image.Image | None", "dict[str, object] | None"]

_HINT = "The answer appears here, with the region of the image that supports it."


def answer_question(core: Callable[[], Core], path: str | None, question: str) -> Shown:
    """Answer a question about an uploaded or photographed image; a problem becomes a card."""
    from llava_agent.evidence import drawn

    try:
        if not path:
            raise ImageError("there is no image yet", "upload one or take a photo")
        parts = core()
        gateway = parts.gateway.recording(Ledger())
        answer = ask(Path(path), question, gateway, parts.find)
        return answer_card(answer), drawn(Path(path), answer), answer.as_dict()
    except LlavaAgentError as error:
        return problem_card(error), None, None


def ask_section(core: Callable[[], Core], examples: list[str]) -> None:
    """Build the section inside the Blocks that are open.

    Args:
        examples: paths of images that a visitor may start with.
    """
    with gr.Row(equal_height=False):
        with gr.Column():
            photo = gr.Image(
                type="filepath",
                sources=["upload", "webcam", "clipboard"],
                label="Photo or screenshot",
                height=340,
                buttons=[],
                elem_id="ask-photo",
            )
            question = gr.Textbox(
                label="Question",
                placeholder="What is the serial number?",
                elem_id="ask-question",
                lines=1,
                max_lines=3,
                submit_btn=False,
            )
            button = gr.Button("Ask", variant="primary", elem_id="ask-button")
            if examples:
                gr.Examples([[path] for path in examples], [photo], label="Or start with one of these")
        with gr.Column():
            card = gr.HTML(hint_card(_HINT), padding=False, elem_id="ask-answer")
            evidence = gr.Image(
                label="Evidence",
                show_label=False,
                format="jpeg",
                interactive=False,
                buttons=["fullscreen"],
                visible=False,
                elem_id="ask-evidence",
            )
            with gr.Accordion("JSON", open=False, visible=False) as fold:
                details = gr.JSON(show_label=False, elem_id="ask-json")

    def answer(path: str | None, words: str, request: gr.Request) -> tuple[object, ...]:
        def permitted() -> Core:
            caller(request, "models.use")
            return core()

        text, picture, fields = answer_question(permitted, path, words or "")
        there = picture is not None
        return text, gr.Image(picture, visible=there), fields, gr.Accordion(visible=there)

    gr.on(
        [button.click, question.submit],
        answer,
        [photo, question],
        [card, evidence, details, fold],
        api_name="ask",
        show_progress="minimal",
        concurrency_limit=1,
    )


TAB = Tab(
    "ask",
    "Ask",
    ("models.use",),
    lambda service: ask_section(service.core, list(service.settings.examples)),
)
