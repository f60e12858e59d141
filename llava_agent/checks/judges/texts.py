"""`shows`, `not_shows`, `text`, `pattern`: what a person can read."""

from __future__ import annotations

import difflib
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from PIL import Image

from llava_agent.checks.expectation import Named, Thing, thing
from llava_agent.checks.look.picture import read_opaque
from llava_agent.checks.sighting import Part, Sighting, Unseen, Word
from llava_agent.checks.spans import Span, Text, folded, joined, line, runs, spans, words_in
from llava_agent.checks.things import TEXTS, TOO_LONG, means
from llava_agent.checks.verdict import Verdict

#: Why a text that is on the page is not seen, as a clause.
WHY: dict[Unseen, str] = {
    "cut": "it is cut off by its box",
    "scroll": "it is further on in a box that scrolls",
    "off": "it is outside the page",
    "fold": "it is outside the window",
    "hidden": "it is hidden",
    "faded": "it is transparent",
    "tiny": "it is too small to be read",
    "covered": "something lies over it",
    "faint": "it has the colour of its ground",
    "unreadable": "its pixels cannot be read",
}


def shows(wanted: Named, seen: Sighting) -> Verdict:
    """The text can be read somewhere, in any case."""
    what = thing(wanted)
    words = f"shows {what.words()}"
    found = next(_readable(what, seen), None)
    if found is not None:
        by = "ocr" if found.words[0].kind == "ocr" else means(seen)
        score = min(word.score for word in found.words)
        return Verdict("pass", words, by, "", found.text, found.box, found.part.screenshot, score)
    return missing(what.name, seen, words)


def not_shows(wanted: Named, seen: Sighting) -> Verdict:
    """The text can be read nowhere. Where a part of it shows, it does not count as hidden."""
    what = thing(wanted)
    words = f"does not show {what.words()}"
    found = next(_readable(what, seen, lambda word: word.seen or word.inked), None)
    if found is not None:
        by = "ocr" if found.words[0].kind == "ocr" else means(seen)
        return Verdict(
            "fail", words, by, f'"{what.name}" is visible', found.text, found.box, found.part.screenshot
        )
    first = seen.parts[0].screenshot
    if not seen.whole:
        return Verdict("uncertain", words, means(seen), TOO_LONG, screenshot=first)
    return Verdict("pass", words, means(seen), screenshot=first)


def text(wanted: Named, seen: Sighting) -> Verdict:
    """One stretch of text, one control's label or one field's value is exactly this."""
    what = thing(wanted)
    said = line(what.name)
    words = f"a text is exactly {what.words()}"
    for found in _candidates(what, seen):
        if found.text == said:
            return Verdict("pass", words, means(seen), "", found.text, found.box, found.part.screenshot)
    return missing(said, seen, words, exact=True)


def pattern(wanted: str, seen: Sighting) -> Verdict:
    """Some text holds the pattern."""
    words, compiled = f"holds the pattern {wanted}", compile_pattern(wanted)
    for part in seen.parts:
        for found in Text(part, part.words, lambda word: word.seen).match(compiled):
            return Verdict("pass", words, means(seen), "", found.text, found.box, found.part.screenshot)
    if not seen.whole:
        return Verdict("uncertain", words, means(seen), TOO_LONG, screenshot=seen.parts[0].screenshot)
    detail = f"nothing on it is like {wanted}"
    return Verdict("fail", words, means(seen), detail, screenshot=seen.parts[0].screenshot)


def compile_pattern(wanted: str) -> re.Pattern[str]:
    """`#` a digit, `@` a letter, `*` anything without a blank. At word borders, in any case."""
    signs = {"#": r"\d", "@": r"[^\W\d_]", "*": r"\S*"}
    body = "".join(signs.get(sign, re.escape(sign)) for sign in re.sub(r"\*+", "*", folded(wanted)))
    return re.compile(rf"(?<!\w){body}(?!\w)")


def missing(wanted: str, seen: Sighting, words: str, *, exact: bool = False) -> Verdict:
    """The verdict on a text that is not read: why, where it is on the page unseen."""
    unseen = next(spans(wanted, seen, lambda word: word.why != "fold"), None)
    reasons = [word for word in unseen.words if word.why] if unseen else []
    if unseen and reasons:
        over = next((word.over for word in reasons if word.over and word.why == "covered"), "")
        detail = f'"{wanted}" is on the page, but {WHY[reasons[0].why]}' + (f" ({over})" if over else "")
        box = unseen.box.clipped(*_size(unseen.part))
        return Verdict("fail", words, means(seen), detail, unseen.text, box, unseen.part.screenshot)
    first = seen.parts[0].screenshot
    if not seen.whole:
        return Verdict("uncertain", words, means(seen), TOO_LONG, screenshot=first)
    near = _nearest(wanted, seen)
    detail = f'no text is exactly "{wanted}"' if exact else f'"{wanted}" is visible nowhere'
    if near is not None:
        detail += f'; the nearest text is "{near.text}"'
        return Verdict("fail", words, means(seen), detail, near.text, near.box, near.part.screenshot)
    if any(folded(wanted) in folded(mark.text) for _, mark in seen.marks()):
        detail += ", only as the name of a control that shows no such text"
    return Verdict("fail", words, means(seen), detail, "", None, first)


def _readable(
    what: Thing, seen: Sighting, keep: Callable[[Word], bool] = lambda word: word.seen
) -> Iterator[Span]:
    """Where the text can be read; in images only where it is nowhere else."""
    if what.role:
        for found in _candidates(what, seen):
            if folded(what.name) in folded(found.text):
                yield found
        return
    yield from spans(what.name, seen, keep)
    for part in seen.parts:
        if part.opaque:
            with Image.open(io.BytesIO(part.screenshot)) as opened:
                words = read_opaque(opened.convert("RGB"), part.opaque)
            yield from Text(part, words).find(what.name)


def _candidates(what: Thing, seen: Sighting) -> Iterator[Span]:
    """Texts that are one: a stretch of text, what stands on a control, what stands in a field."""
    for part in seen.parts:
        if what.role in ("", "text"):
            for span in runs(part):
                if all(word.seen or (word.kind == "value" and word.inked) for word in span.words):
                    yield span
                if len(span.words) == 1 and span.words[0].kind == "value" and span.words[0].inked:
                    shown = span.words[0]
                    yield Span(part, (replace(shown, text=line(shown.text)),))
        for mark in part.marks:
            if (
                mark.box is None
                or (what.role and mark.role != what.role)
                or (not what.role and mark.role in TEXTS)
            ):
                continue
            inside = words_in(part, mark.box)
            if inside and all(word.seen for word in inside):
                yield Span(part, inside)
                if seen.exact is False:
                    continue
                # Runs on the control of which each is a text of its own, such as a title and a price.
                yield from (
                    Span(part, tuple(w for w in inside if w.run == run)) for run in {w.run for w in inside}
                )


def _nearest(wanted: str, seen: Sighting) -> Span | None:
    """What is read that is most like the text."""
    said: dict[str, Span] = {}
    for part in seen.parts:
        for span in runs(part):
            shown = tuple(word for word in span.words if word.seen)
            if shown:
                said.setdefault(joined(shown), Span(part, shown))
    close = difflib.get_close_matches(line(wanted), list(said)[:2000], n=1, cutoff=0.6)
    return said[close[0]] if close else None


def _size(part: Part) -> tuple[int, int]:
    with Image.open(io.BytesIO(part.screenshot)) as opened:
        return opened.size
