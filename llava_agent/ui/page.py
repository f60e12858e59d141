"""The page: a tab for each desk, local fonts, light and dark, wide and narrow."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

# Read by gradio when it is imported: nothing is reported to anyone.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"

if TYPE_CHECKING:
    import gradio as gr

    from llava_agent.service.context import Service

STYLE = Path(__file__).with_name("page.css")
DESK_STYLE, DESK_SCRIPT = (Path(__file__).parent / "desk" / name for name in ("desk.css", "desk.js"))
AGENT_STYLE = Path(__file__).parent / "agent" / "agent.css"

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


def build_page(service: Service) -> gr.Blocks:
    """The page over the parts of a server."""
    import gradio as gr

    from llava_agent.ui.agent import words as agent_words
    from llava_agent.ui.agent.section import agent_section
    from llava_agent.ui.ask import ask_section
    from llava_agent.ui.desk import words
    from llava_agent.ui.desk.section import desk_section

    with gr.Blocks(title="llava-agent", analytics_enabled=False, fill_width=True) as page:
        gr.HTML(_HEAD, padding=False)
        with gr.Tabs():
            with gr.Tab("Ask", id="ask"):
                ask_section(service.core, list(service.settings.examples))
            with gr.Tab(words.TAB, id="desk"):
                desk_section(service.desk)
            with gr.Tab(agent_words.TAB, id="agent"):
                agent_section(service.desk)
    return page
