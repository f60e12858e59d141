"""The page: two sections, local fonts, light and dark, wide and narrow."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from llava_agent.assembly import Core

# Read by gradio when it is imported: nothing is reported to anyone.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"

if TYPE_CHECKING:
    import gradio as gr

    from llava_agent.service.desk import Desk

STYLE = Path(__file__).with_name("page.css")
DESK_STYLE, DESK_SCRIPT = (Path(__file__).parent / "desk" / name for name in ("desk.css", "desk.js"))

_HEAD = """
<header class="masthead">
  <h1>llava-agent</h1>
  <p>It looks, acts and verifies, on this machine. Nothing leaves it.</p>
</header>
"""


def theme() -> gr.themes.Base:
    """System fonts only, so that nothing is fetched."""
    import gradio as gr

    return gr.themes.Base(
        primary_hue=gr.themes.colors.teal,
        secondary_hue=gr.themes.colors.teal,
        neutral_hue=gr.themes.colors.slate,
        radius_size=gr.themes.sizes.radius_md,
        font=["system-ui", "-apple-system", "Segoe UI", "sans-serif"],
        font_mono=["ui-monospace", "Consolas", "monospace"],
    )


def build_page(core: Callable[[], Core], runs: Path, examples: list[str], desk: Desk) -> gr.Blocks:
    """The page over a core.

    Args:
        core: called when models are needed first; what it raises is shown on the page as one sentence.
        runs: folder for the runs that visitors start.
        examples: paths of images to start with.
        desk: the store and the worker of the photo desk.
    """
    import gradio as gr

    from llava_agent.ui.act import Runs, act_section
    from llava_agent.ui.ask import ask_section
    from llava_agent.ui.desk import words
    from llava_agent.ui.desk.section import desk_section

    with gr.Blocks(title="llava-agent", analytics_enabled=False, fill_width=True) as page:
        gr.HTML(_HEAD, padding=False)
        with gr.Tabs():
            with gr.Tab("Ask", id="ask"):
                ask_section(core, examples)
            with gr.Tab(words.TAB, id="desk"):
                desk_section(desk)
            with gr.Tab("Act", id="act"):
                act_section(Runs(core, runs))
    return page
