"""What a run of a check found, as it lies in the run's folder: a file a variant, its pictures beside it."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llava_agent.checks.spec import Spec, Variant
from llava_agent.checks.verdict import SpecResult, Verdict
from tools.geometry import Box

#: The file of all of them, once the run is over.
RESULTS = "results.json"
_PARTS, _SHOTS = "variants", "shots"


@dataclass(frozen=True, slots=True)
class Findings:
    """The variants that a run has done so far. What is there is whole: files are written at once or not.

    Args:
        folder: of the run.
    """

    folder: Path

    def begin(self, index: int) -> bool:
        """Note that a variant is begun; False where an earlier attempt had begun it."""
        mark = self.folder / _PARTS / f"{index:03}.begun"
        if mark.exists():
            return False
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
        return True

    def keep(self, index: int, spec: Spec, variant: Variant, result: SpecResult) -> None:
        """Write what became of a variant, its screenshots first."""
        from llava_agent.agent.trace import write_whole

        verdicts = [
            {**verdict.as_dict(), **self._shot(verdict), "kind": wanted.kind}
            | ({"baseline": variant.beside(wanted.matches.baseline).name} if wanted.matches else {})
            for verdict, wanted in zip(result.verdicts, spec.expect, strict=bool(result.verdicts))
        ]
        body = {
            "name": result.name,
            "variant": variant.name,
            "status": result.status,
            "problem": result.problem,
            "seconds": round(result.seconds, 2),
            "verdicts": verdicts,
        }
        write_whole(self._file(index), json.dumps(body).encode())

    def read(self, index: int) -> dict[str, Any] | None:
        """What was kept of a variant; None where it is not done."""
        try:
            found: dict[str, Any] = json.loads(self._file(index).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return found

    def result(self, index: int) -> SpecResult:
        """A variant that was kept, with its screenshots, for the reports."""
        body = self.read(index)
        assert body is not None, "only what was kept is read"
        verdicts = tuple(self._verdict(one) for one in body["verdicts"])
        return SpecResult(body["name"], Path("spec.yaml"), verdicts, body["seconds"], body["problem"])

    def finish(self, count: int) -> list[dict[str, Any]]:
        """All variants in one file; what was only noted on the way is removed."""
        from llava_agent.agent.trace import write_whole

        found = [body for index in range(count) if (body := self.read(index)) is not None]
        write_whole(self.folder / RESULTS, json.dumps(found).encode())
        return found

    def _file(self, index: int) -> Path:
        return self.folder / _PARTS / f"{index:03}.json"

    def _shot(self, verdict: Verdict) -> dict[str, Any]:
        """The name of the verdict's screenshot in the folder, and its size in pixels."""
        from PIL import Image

        from llava_agent.agent.trace import write_whole

        if verdict.screenshot is None:
            return {"picture": None, "size": None}
        name = f"{_SHOTS}/{hashlib.sha256(verdict.screenshot).hexdigest()[:20]}.png"
        path = self.folder / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, verdict.screenshot)
        with Image.open(io.BytesIO(verdict.screenshot)) as opened:
            return {"picture": name, "size": list(opened.size)}

    def _verdict(self, body: dict[str, Any]) -> Verdict:
        picture = (self.folder / body["picture"]).read_bytes() if body["picture"] else None
        box = Box(*body["box"]) if body["box"] else None
        return Verdict(
            body["status"],
            body["expects"],
            body["by"],
            body["detail"],
            body["read"],
            box,
            picture,
            body["confidence"],
        )


def compared(found: list[dict[str, Any]], name: str) -> Iterator[dict[str, Any]]:
    """The verdicts of a run that a baseline of this name decided."""
    for variant in found:
        yield from (one for one in variant["verdicts"] if one.get("baseline") == name and one["picture"])
