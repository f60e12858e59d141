"""Steps on rendered screens: pointing by looks, statements about what is seen, colours and counts."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from llava_agent.vlm.prompt import ACT_VERBS, ASK_VERBS, Line
from training.captions import caption_text
from training.render.screens.dataset import ScreenElement, ScreenPage
from training.tasks.step import Quote, Step

_ASK = (
    "Click the {}",
    "Click on the {}",
    "Press the {}",
    "Select the {}",
    "Open the {}",
    "Choose the {}",
    "Use the {}",
    "Point at the {}",
)
_TOGGLE = ("Check the {}", "Toggle the {}", "Click the {}", "Switch the {}")


def line(element: ScreenElement, pixels_only: bool) -> Line:
    """The element as a mark's line: from pixels alone its role is unknown, unless it is text."""
    if pixels_only:
        if element.role in ("text", "link"):
            return Line(f'"{element.text}" text', element.text, True)
        words = f'"{element.text}" region' if element.text else "region"
        return Line(words, element.text, True)
    name = f'"{element.text}" ' if element.text else ""
    states = " ".join(("", *element.states)) if element.states else ""
    value = f" = {element.value}" if element.value else ""
    return Line(f"{name}{element.role}{states}{value}", element.text, True)


def shown_elements(rng: Random, page: ScreenPage, most: int) -> list[ScreenElement]:
    """Five to `most` elements of the page, in their order."""
    count = min(len(page.elements), rng.randint(5, most))
    places = sorted(rng.sample(range(len(page.elements)), count))
    return [page.elements[i] for i in places]


def _description(rng: Random, wanted: ScreenElement, shown: Sequence[ScreenElement]) -> str | None:
    """The shortest of some descriptions that fits `wanted` alone."""
    forms = [
        ("", "", wanted.kind),
        ("", wanted.colour, wanted.kind),
        (wanted.size, "", wanted.kind),
        (wanted.size, wanted.colour, wanted.kind),
    ]
    rng.shuffle(forms)
    for size, colour, kind in forms:
        fits = [e for e in shown if e.kind == kind and colour in ("", e.colour) and size in ("", e.size)]
        if fits == [wanted]:
            return " ".join(part for part in (size, colour, kind) if part)
    return None


def point(rng: Random, page: ScreenPage) -> Step | None:
    """Click what the goal describes by its looks."""
    shown = shown_elements(rng, page, 12)
    order = rng.sample(shown, len(shown))
    for wanted in order:
        if wanted.role in ("text", "link") or (wanted.kind == "button" and not wanted.colour):
            continue
        said = _description(rng, wanted, shown)
        if said:
            break
    else:
        return None
    form = rng.choice(_TOGGLE if wanted.role in ("checkbox", "switch", "radio") else _ASK)
    # With roles and states in the words a toggle could be found without eyes; most pages hide them here.
    pixels_only = rng.random() < 0.7
    return _step(
        "look point", "Goal", form.format(said), shown, pixels_only, ACT_VERBS, "click", shown.index(wanted)
    )


def statement(rng: Random, page: ScreenPage) -> Step:
    """A statement about what is seen, true or false."""
    shown = shown_elements(rng, page, 9)
    one = rng.choice([e for e in shown if e.role not in ("text", "link")] or shown)
    true = rng.random() < 0.5
    if true:
        said = rng.choice([one.kind, caption_text((one.kind, one.colour))])
    else:
        other = rng.choice(page.elements)
        said = caption_text(
            (
                rng.choice([other.kind, one.kind]),
                rng.choice([other.colour, one.colour, "red", "blue", "green"]),
            )
        )
    article = "an" if said[0] in "aeiou" else "a"
    true = any(said in (e.kind, caption_text((e.kind, e.colour))) for e in shown)
    text = rng.choice(
        ["There is {a} {s}.", "{A} {s} can be seen.", "The picture shows {a} {s}.", "Is there {a} {s}?"]
    )
    instruction = text.format(a=article, A=article.capitalize(), s=said)
    target = next(
        (i for i, e in enumerate(shown) if said in (e.kind, caption_text((e.kind, e.colour)))), None
    )
    return _step(
        "statement", "Question", instruction, shown, True, ASK_VERBS, "yes" if true else "no", target
    )


def state(rng: Random, page: ScreenPage) -> Step | None:
    """A statement about a state: the label is written beside the control, so that it can be named."""
    shown = shown_elements(rng, page, 9)
    toggles = [e for e in shown if e.role in ("checkbox", "switch", "radio")]
    buttons = [e for e in shown if e.kind in ("button", "disabled button") and e.text]
    if buttons and (not toggles or rng.random() < 0.5):
        one = rng.choice(buttons)
        off = "disabled" in one.states
        claim = rng.random() < 0.5
        text = rng.choice(
            [
                f"The {one.text} button is {'disabled' if claim else 'enabled'}.",
                f'The button "{one.text}" is {"greyed out" if claim else "active"}',
            ]
        )
        return _step(
            "state",
            "Question",
            text,
            shown,
            True,
            ASK_VERBS,
            "yes" if off == claim else "no",
            shown.index(one),
        )
    if len(toggles) != 1:
        return None
    one = toggles[0]
    on = "checked" in one.states
    claim = rng.random() < 0.5
    word = {"checkbox": "checkbox", "switch": "switch", "radio": "radio button"}[one.role]
    said = {
        "checkbox": ("checked", "unchecked"),
        "switch": ("on", "off"),
        "radio": ("selected", "unselected"),
    }[one.role]
    text = f"The {word} is {said[0 if claim else 1]}."
    return _step(
        "state", "Question", text, shown, True, ASK_VERBS, "yes" if on == claim else "no", shown.index(one)
    )


def read_by_looks(rng: Random, page: ScreenPage) -> Step | None:
    """What is written on the thing that looks like this."""
    shown = shown_elements(rng, page, 10)
    for wanted in rng.sample(shown, len(shown)):
        if wanted.text and wanted.colour:
            said = _description(rng, wanted, shown)
            if said:
                text = rng.choice(
                    ["What does the {} say?", "Read the {}", "What is written on the {}?"]
                ).format(said)
                return _step(
                    "read looks",
                    "Question",
                    text,
                    shown,
                    True,
                    ASK_VERBS,
                    "read",
                    shown.index(wanted),
                    quote=True,
                )
    return None


def _step(
    task: str,
    kind: str,
    instruction: str,
    shown: Sequence[ScreenElement],
    pixels_only: bool,
    verbs: tuple[str, ...],
    verb: str,
    target: int | None,
    *,
    quote: bool = False,
) -> Step:
    lines = tuple(line(e, pixels_only) for e in shown)
    quoted = Quote("candidate", target, 0, len(shown[target].text)) if quote and target is not None else None
    return Step(
        task,
        "Goal" if kind == "Goal" else "Question",
        instruction,
        lines,
        tuple(v for v in verbs if v != "look"),
        verb,
        target,
        quoted,
        crops=tuple(e.crop for e in shown),
        words=tuple("" if e.role in ("text", "link") else e.words for e in shown),
    )


VISUAL = {point: 6.0, statement: 1.5, state: 1.0, read_by_looks: 0.8}
