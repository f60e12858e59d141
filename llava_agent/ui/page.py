"""The page: a tab for each desk, local fonts, light and dark, wide and narrow."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

# Read by gradio when it is imported: nothing is reported to anyone.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"

if TYPE_CHECKING:
    import gradio as gr

    from llava_agent.service.context import Service
    from llava_agent.ui.tab import Tab

#: Modules with a `TAB`, in the order of the page. A new desk is a line here.
DESKS = (
    "llava_agent.ui.ask",
    "llava_agent.ui.desk.section",
    "llava_agent.ui.agent.section",
    "llava_agent.ui.lab.section",
    "llava_agent.ui.admin.approvals",
    "llava_agent.ui.admin.keys",
    "llava_agent.ui.admin.section",
    "llava_agent.ui.checks.section",
)

_STYLE, _SCRIPT = (Path(__file__).with_name(name) for name in ("page.css", "page.js"))


def desks() -> tuple[Tab, ...]:
    """Every desk; imports gradio."""
    return tuple(import_module(name).TAB for name in DESKS)


def styles() -> list[Path]:
    return [_STYLE, *(desk.style for desk in desks() if desk.style is not None)]


def scripts() -> str:
    """The page's and the desks' scripts as one element of the page's head."""
    files = [_SCRIPT, *(desk.script for desk in desks() if desk.script is not None)]
    found = [file.read_text(encoding="utf-8") for file in files]
    return f"<script>{''.join(found)}</script>"


def theme() -> gr.themes.Base:
    """System fonts only, so that nothing is fetched; colours that differ enough from their ground."""
    import gradio as gr

    return gr.themes.Base(
        primary_hue=gr.themes.colors.teal,
        secondary_hue=gr.themes.colors.teal,
        neutral_hue=gr.themes.colors.slate,
        radius_size=gr.themes.sizes.radius_md,
        font=["system-ui", "-apple-system", "Segoe UI", "sans-serif"],
        font_mono=["ui-monospace", "Consolas", "monospace"],
    ).set(
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        link_text_color="*primary_700",
        link_text_color_hover="*primary_800",
        link_text_color_visited="*primary_700",
        link_text_color_dark="*primary_400",
        link_text_color_hover_dark="*primary_300",
        link_text_color_visited_dark="*primary_400",
        color_accent="*primary_700",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_400",
        block_label_text_color="*neutral_700",
        input_placeholder_color="*neutral_500",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700",
    )


def build_page(service: Service) -> gr.Blocks:
    """The page over the parts of a server."""
    import gradio as gr

    from llava_agent.ui import words
    from llava_agent.ui.frame import build_frame

    with gr.Blocks(title=words.TITLE, analytics_enabled=False, fill_width=True) as page:
        build_frame(service, desks(), page)
    return page
