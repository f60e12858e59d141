"""A simulated interface: marks that change as actions are done on them, and the steps of an oracle."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from random import Random
from typing import Literal

from llava_agent.agent.history import short
from llava_agent.vlm.prompt import ACT_VERBS, Line
from tools.mark import Mark
from training.render.screens.vocabulary import ACTIONS, FIRST_NAMES, WORDS
from training.tasks.step import Quote, Step

_FIELDS = ("textbox", "searchbox", "argument", "spinbutton")
_LISTS = ("combobox", "argument")


def mark(role: str, text: str = "", value: str | None = None, *states: str) -> Mark:
    """A mark without a place, as an interface made of words has them."""
    return Mark(ref="", role=role, text=text, box=None, source="dom", value=value, states=states)


@dataclass(slots=True)
class Interface:
    """The marks of a page or tool form, what was done, and what is known.

    Attributes:
        photos: whether there is a photo to look at.
        scrolls: whether the page goes on below.
        surface: a page says where the caret is and takes keys; an API's arguments do not.
        steps: one supervised decision for each action of the oracle.
    """

    task: str
    goal: str
    rng: Random
    marks: list[Mark]
    facts: list[str] = field(default_factory=list)
    history: list[str] = field(default_factory=list)
    photos: bool = False
    scrolls: bool = False
    surface: Literal["page", "api"] = "page"
    steps: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.rng.random() < 0.25:  # many forms mark what must be filled in
            self.require()

    def require(self) -> None:
        """Mark each field as required."""
        self.marks = [
            replace(m, states=(*m.states, "required")) if m.role in _FIELDS and not m.states else m
            for m in self.marks
        ]

    def find(self, role: str, text: str) -> int:
        """Index of the first mark of that role and text; StopIteration where there is none."""
        return next(i for i, m in enumerate(self.marks) if m.role == role and m.text == text)

    def click(self, index: int) -> None:
        """Click a mark: boxes and radio buttons change, fields get the caret."""
        self._record("click", index)
        self.history.append(f"click {short(self.marks[index])}")
        clicked = self.marks[index]
        if clicked.role in ("checkbox", "switch"):
            self.marks[index] = replace(clicked, states=() if "checked" in clicked.states else ("checked",))
        elif clicked.role == "radio":
            self.marks = [replace(m, states=()) if m.role == "radio" else m for m in self.marks]
            self.marks[index] = replace(clicked, states=("checked",))
        elif clicked.role in _FIELDS:
            self._focus(index)

    def _focus(self, index: int) -> None:
        """Live pages say where the caret is; tool forms do not."""
        if self.surface == "page":
            self.marks = [replace(m, states=tuple(s for s in m.states if s != "focused")) for m in self.marks]
            self.marks[index] = replace(self.marks[index], states=(*self.marks[index].states, "focused"))

    def type(self, index: int, text: str, quote: Quote, *, secret: bool = False) -> None:
        """Type `text`, which stands at `quote`; a secret is shown as dots afterwards."""
        self._record("type", index, quote)
        self.history.append(f"type {text} in {short(self.marks[index])}")
        self.marks[index] = replace(self.marks[index], value="•" * len(text) if secret else text)
        self._focus(index)

    def select(self, index: int, option: str, quote: Quote) -> None:
        """Choose an option of a list."""
        self._record("select", index, quote)
        self.history.append(f"select {option} in {short(self.marks[index])}")
        self.marks[index] = replace(self.marks[index], value=option)

    def look(self, question: str, answer: str) -> None:
        """Look for `question` on the photo: the answer becomes a fact."""
        self._record("look", None, self.quote(question))
        self.history.append(f"look {question}")
        self.facts.append(f"{question} = {answer}")

    def press(self) -> None:
        """Press Enter."""
        self._record("press", None)
        self.history.append("press Enter")

    def scroll(self, marks: list[Mark], *, more: bool) -> None:
        """Scroll down: other marks come into view; `more` says whether the page goes on below them."""
        self._record("scroll", None)
        self.history.append("scroll down")
        self.marks, self.scrolls = marks, more

    def done(self) -> None:
        """Say that the goal is reached."""
        self._record("done", None)

    def quote(self, text: str) -> Quote:
        """Where `text` stands: in a fact's value, else in the goal, as whole words where it does."""
        for index, fact in enumerate(self.facts):
            value = fact.partition(" = ")[2]
            if value == text or value.startswith(f"{text} "):
                return Quote("fact", index, 0, len(text))
        whole = re.search(rf"(?<![\w.-]){re.escape(text)}(?![\w-])", self.goal)
        begin = whole.start() if whole else self.goal.index(text)
        return Quote("instruction", 0, begin, begin + len(text))

    def _offered(self) -> tuple[str, ...]:
        """The verbs that are possible now."""
        roles = {m.role for m in self.marks if "disabled" not in m.states}
        possible = {
            "click": bool(roles),
            "type": bool(roles.intersection(_FIELDS)),
            "select": bool(roles.intersection(_LISTS)),
            "press": self.surface == "page",
            "scroll": self.scrolls,
            "look": self.photos,
            "done": True,
        }
        return tuple(verb for verb in ACT_VERBS if possible[verb])

    def _record(self, verb: str, index: int | None, quote: Quote | None = None) -> None:
        shown = [i for i, m in enumerate(self.marks) if "disabled" not in m.states]
        lines = tuple(Line(self.marks[i].line(), self.marks[i].text) for i in shown)
        if quote and quote.source == "candidate":
            quote = replace(quote, index=shown.index(quote.index))
        self.steps.append(
            Step(
                self.task,
                "Goal",
                self.goal,
                lines,
                self._offered(),
                verb,
                None if index is None else shown.index(index),
                quote,
                tuple(self.facts),
                tuple(self.history[-8:]),
            )
        )


def noise(rng: Random, count: int) -> list[Mark]:
    """Marks that have nothing to do with the goal."""
    made = []
    for _ in range(count):
        word = rng.choice(WORDS)
        made.append(
            rng.choice(
                [
                    mark("text", " ".join(rng.sample(WORDS, rng.randint(1, 5))).capitalize()),
                    mark("link", f"{word} {rng.choice(WORDS)}"),
                    mark("button", rng.choice(ACTIONS)),
                    mark("link", word.capitalize()),
                    mark("text", rng.choice(FIRST_NAMES)),
                    mark("heading", word.capitalize()),
                ]
            )
        )
    return made
