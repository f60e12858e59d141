"""The desk's HTML. Everything that comes from a page, a model or a person is escaped here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from llava_agent.ui.agent import words

if TYPE_CHECKING:
    from llava_agent.service.store.runs import StoredRun


def question_card(body: Mapping[str, Any]) -> str:
    return (
        f'<div class="card ask-card" role="alert"><h3>{words.QUESTION}</h3>'
        f'<div class="line">{escape(str(body["text"]))}</div></div>'
    )


def approval_card(body: Mapping[str, Any], mine: bool) -> str:
    """The exact action, where it is done, and the rule that asks.

    Args:
        mine: whether whoever looks may decide it.
    """
    others = "" if mine else f'<p class="small">{words.OTHERS}</p>'
    return (
        f'<div class="card ask-card" role="alert"><h3>{words.APPROVAL}</h3>'
        f'<div class="line">{escape(str(body["line"]))}</div>'
        f'<div class="small">{words.ON} {escape(str(body["address"]))} · {escape(str(body["effect"]))} · '
        f"{words.BECAUSE} “{escape(str(body['why']))}”</div>{others}</div>"
    )


def choices(runs: Sequence[StoredRun]) -> list[tuple[str, str]]:
    """The runs as the entries of a list, the newest first."""
    return [(_name(run), run.id) for run in runs]


def _name(run: StoredRun) -> str:
    goal = str(run.request.get("goal", ""))
    ended = (run.result or {}).get("status", "") if run.state == "done" else ""
    state = ended or words.STATES[run.state]
    again = f"{words.REPLAYED} · " if "replay" in run.request else ""
    return f"{run.created:%d %b %H:%M} · {state} · {again}{goal[:70]}"
