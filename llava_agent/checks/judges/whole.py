"""`cut_off` and `not_cut_off`: is all of a text seen?"""

from __future__ import annotations

import io

from PIL import Image

from llava_agent.checks.expectation import EVERYTHING, Named, thing
from llava_agent.checks.judges.texts import WHY, missing
from llava_agent.checks.sighting import Part, Sighting, Word
from llava_agent.checks.spans import Span, folded, runs, spans
from llava_agent.checks.things import TOO_LONG, means
from llava_agent.checks.verdict import Verdict
from tools.geometry import Box

#: Reasons that mean that a part of a text is missing where it stands.
_CUT = frozenset({"cut", "off", "covered", "scroll"})
#: A text this close to the edge of a picture may go on beyond it.
_EDGE = 2.0


def cut_off(wanted: Named, seen: Sighting) -> Verdict:
    what = thing(wanted)
    words = f"{what.words()} is cut off"
    whole, cut = _places(what.name, seen)
    if cut is not None:
        return Verdict("pass", words, means(seen), "", cut.text, _shown(cut), cut.part.screenshot)
    if whole is not None:
        return Verdict(
            "fail", words, means(seen), "all of it is seen", whole.text, whole.box, whole.part.screenshot
        )
    return missing(what.name, seen, words)


def not_cut_off(wanted: Named, seen: Sighting) -> Verdict:
    what = thing(wanted)
    if what.name == EVERYTHING and not what.role:
        return _nothing_cut(seen)
    words = f"{what.words()} is not cut off"
    whole, cut = _places(what.name, seen)
    if whole is not None and not seen.exact and _at_edge(whole):
        return Verdict(
            "fail",
            words,
            "ocr",
            "it ends at the picture's edge",
            whole.text,
            whole.box,
            whole.part.screenshot,
        )
    if whole is not None:
        return Verdict("pass", words, means(seen), "", whole.text, whole.box, whole.part.screenshot)
    if cut is not None:
        detail = next((WHY[word.why] for word in cut.words if word.why in _CUT), "only a part of it is seen")
        return Verdict("fail", words, means(seen), detail, cut.text, _shown(cut), cut.part.screenshot)
    return missing(what.name, seen, words)


def _places(name: str, seen: Sighting) -> tuple[Span | None, Span | None]:
    """Where all of the text is seen, and where it is not."""
    whole = next(spans(name, seen), None)
    if not seen.exact:
        return whole, None if whole else _beginning(name, seen)
    cut = next(
        (
            span
            for span in spans(name, seen, lambda word: word.why != "fold")
            if any(w.why in _CUT for w in span.words)
        ),
        None,
    )
    return whole, cut


def _beginning(name: str, seen: Sighting) -> Span | None:
    """The longest beginning of a text that a picture shows at the end of a line: the rest is cut off."""
    wanted = folded(name)
    for part in seen.parts:
        for span in runs(part):
            said = folded(span.text).rstrip(". …")
            if len(said) >= 4 and len(said) < len(wanted) and wanted.startswith(said):
                return span
    return None


def _nothing_cut(seen: Sighting) -> Verdict:
    words = "no text is cut off"
    for part in seen.parts:
        for span in runs(part):
            word = _cut_word(part, span)
            if word is not None:
                detail = f'"{span.text}": {WHY[word.why]}'
                return Verdict("fail", words, means(seen), detail, span.text, _shown(span), part.screenshot)
    first = seen.parts[0].screenshot
    if not seen.whole:
        return Verdict("uncertain", words, means(seen), TOO_LONG, screenshot=first)
    if not seen.exact:
        edge = next((span for part in seen.parts for span in runs(part) if _at_edge(span)), None)
        if edge is not None:
            return Verdict("fail", words, "ocr", "it ends at the picture's edge", edge.text, edge.box, first)
    return Verdict("pass", words, means(seen), screenshot=first)


def _cut_word(part: Part, span: Span) -> Word | None:
    """A word that is missing from a text of which something is seen.

    Text of which nothing is seen is hidden on purpose (a closed section, a link for screen readers). A
    field holds
    more than it shows, and a box that scrolls shows the rest.
    """
    if not any(word.inked for word in span.words):
        return None
    return next(
        (
            word
            for word in span.words
            if word.why in ("cut", "off", "covered")
            and word.kind == "text"
            and not (word.why == "off" and word.pinned)
        ),
        None,
    )


def _at_edge(span: Span) -> bool:
    width, _ = _size(span)
    return span.box.x0 <= _EDGE or span.box.x1 >= width - _EDGE


def _shown(span: Span) -> Box:
    """The part of its place that can be drawn."""
    width, height = _size(span)
    return span.box.clipped(width, height)


def _size(span: Span) -> tuple[int, int]:
    with Image.open(io.BytesIO(span.part.screenshot)) as opened:
        return opened.size
