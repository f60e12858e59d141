"""`image`: loaded and seen."""

from __future__ import annotations

from llava_agent.checks.expectation import EVERYTHING, Named, thing
from llava_agent.checks.judges.texts import WHY
from llava_agent.checks.sighting import PageImage, Part, Sighting
from llava_agent.checks.spans import folded
from llava_agent.checks.verdict import Verdict


def image(wanted: Named, seen: Sighting) -> Verdict:
    """The image of that name or file, or every image."""
    what = thing(wanted)
    every = what.name == EVERYTHING
    words = "every image is loaded" if every else f'the image "{what.name}" is loaded and seen'
    first = seen.parts[0].screenshot
    if not seen.exact:
        return Verdict("uncertain", words, "none", "a picture does not tell its images", screenshot=first)
    found = [one for one in seen.images() if every or _named(one[1], what.name)]
    if not found and not every:
        return Verdict("fail", words, "dom", f'there is no image "{what.name}"', "", None, first)
    for part, one in found:
        problem = _problem(one, every)
        if problem:
            return _verdict("fail", words, part, one, problem)
    if not found:
        return Verdict("pass", words, "dom", "", "no image", None, first)
    return _verdict("pass", words, *found[0], "")


def _named(one: PageImage, name: str) -> bool:
    wanted = folded(name)
    return wanted in (folded(one.file), folded(one.file.rpartition(".")[0])) or bool(
        one.name and wanted in folded(one.name)
    )


def _problem(one: PageImage, every: bool) -> str:
    if not one.loaded:
        return f"{one.file or 'it'} is not loaded"
    # Among all images there are some that are meant to be hidden, such as those of a closed menu.
    return "" if every or not one.why else WHY[one.why] + (f" ({one.over})" if one.over else "")


def _verdict(status: str, words: str, part: Part, one: PageImage, detail: str) -> Verdict:
    read = one.name or one.file
    return Verdict(
        "fail" if status == "fail" else "pass", words, "dom", detail, read, one.box, part.screenshot
    )
