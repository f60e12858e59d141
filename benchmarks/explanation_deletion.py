"""How far the views of `llava-agent ask --why` tell the truth: the deletion test.

    python benchmarks/explanation_deletion.py --count 40 --out deletion.json

Rendered equipment from seeds that training never draws. Of each question that the model answers by reading,
the foremost region of a view is covered on the picture and everything is done anew, from the pixels on.
A true view names a region without which the answer falls. Controls: a mark by lot, and the largest one.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from llava_agent.agent.perceive import Answer, Eyes
from llava_agent.assembly import Core, assemble
from llava_agent.exam.questions.question import read_questions
from llava_agent.exam.share import Share
from llava_agent.gateway.ledger import Ledger
from llava_agent.gateway.request import Choice
from llava_agent.lab.cover import covered_photo
from llava_agent.lab.deletion import control
from llava_agent.lab.explanation import Corners, Region
from llava_agent.lab.occlusion import occlude
from llava_agent.lab.pointing import pointed
from llava_agent.lab.question import Asker
from tools.geometry import Box
from tools.mark import Mark
from tools.photo import Photo, load_image
from training.render.conversations import write_suite


def tried(photo: Photo, words: str, core: Core) -> dict[str, Any] | None:
    """What is left of the answer without what each view names; None for an answer that is not read."""
    eyes = Eyes(core.gateway.recording(Ledger()), core.find)
    marks = eyes.marks(photo)
    asker = Asker(eyes.gateway, words)
    first = asker.ask(photo.image, marks)
    if first.verb != "read" or first.index is None:
        return None
    before = eyes.ask(photo, words)
    began = time.perf_counter()
    occlusion = occlude(asker, photo, marks, first)
    seconds = time.perf_counter() - began
    found: dict[str, Any] = {"answer": before.answer, "seconds": round(seconds, 2), "calls": asker.calls}
    for name, covered in _covered(photo, marks, occlusion, first).items():
        found[name] = _left(before, eyes.ask(covered_photo(photo, [Box(*one) for one in covered]), words))
    return found


def _covered(
    photo: Photo, marks: Sequence[Mark], occlusion: Sequence[Region], first: Choice
) -> dict[str, list[Corners]]:
    """What is covered for each view; `second`: where occlusion names a region beside the answer's own."""
    cases: dict[str, list[Corners]] = {}
    if occlusion:
        cases["occlusion"] = [occlusion[0].box]
        if other := control(occlusion[0].box, occlusion, marks, photo.sha256):
            cases["by lot"] = [other]
    if len(occlusion) > 1 and occlusion[1].share >= 0.2:
        cases["occlusion second"] = [occlusion[1].box]
    if regions := pointed(first, marks):
        cases["pointer"] = [regions[0].box]
        if len(occlusion) > 1 and occlusion[1].share >= 0.2 and len(regions) > 1:
            cases["pointer second"] = [regions[1].box]
    largest = max((mark.box for mark in marks if mark.box), key=lambda box: box.area, default=None)
    if largest is not None:
        x0, y0, x1, y1 = largest.as_list()
        cases["largest mark"] = [(x0, y0, x1, y1)]
    return cases


def _left(before: Answer, after: Answer) -> dict[str, Any]:
    stands = after.answer == before.answer
    return {"stands": stands, "kept": round(after.confidence / before.confidence, 4) if stands else 0.0}


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Of each view: how often the answer stands without its region, and how much confidence is kept."""
    cases: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        for name, value in row.items():
            if isinstance(value, dict):
                cases[name].append(value)
    return {
        name: {
            "stands": Share(sum(one["stands"] for one in found), len(found)).as_dict(),
            "confidence_kept": round(mean(one["kept"] for one in found), 4),
        }
        for name, found in cases.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--count", type=int, default=40, help="questions that are answered by reading (40)")
    parser.add_argument("--out", type=Path, help="write the result as JSON")
    parser.add_argument("--minutes", type=float, default=600, help="begin no further question after this")
    options = parser.parse_args()
    until = time.monotonic() + 60 * options.minutes
    core, rows = assemble(), []
    with tempfile.TemporaryDirectory() as folder:
        suite = write_suite("equipment", options.count, Path(folder) / "equipment")
        for question in read_questions(suite.file):
            photo = load_image(question.image)
            row = tried(photo, question.question, core)
            if row is None:
                continue
            rows.append({"question": question.question, **row})
            print(f"{len(rows):3}/{options.count} {question.question} {row}", file=sys.stderr, flush=True)
            if len(rows) == options.count or time.monotonic() > until:
                break
    result = {
        "questions": len(rows),
        "views": summary(rows),
        "calls": round(mean(row["calls"] for row in rows), 1),
        "seconds": round(mean(row["seconds"] for row in rows), 2),
        "rows": rows,
    }
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps({key: value for key, value in result.items() if key != "rows"}, indent=1))


if __name__ == "__main__":
    main()
