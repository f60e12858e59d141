"""The report of checks: one static HTML page, with the regions drawn on the screenshots beside it."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

from llava_agent.checks.verdict import CheckResult, Verdict
from tools.geometry import Box

#: Longest side of a picture in the report, in pixels.
_SIDE = 1000
#: Pixels around the region of what passed.
_MARGIN = 90


def write_report(result: CheckResult, folder: Path) -> tuple[Path, dict[int, Path]]:
    """Write `index.html` and its pictures.

    Returns:
        The page, and for each verdict with a screenshot (by its `id()`) the picture.
    """
    from jinja2 import Environment, PackageLoader

    from llava_agent.agent.trace import write_whole

    images = {}
    for spec in result.specs:
        for verdict in spec.verdicts:
            if (verdict.screenshot is not None and verdict.status != "pass") or verdict.box is not None:
                images[id(verdict)] = write_picture(verdict, folder / "images")
    environment = Environment(
        loader=PackageLoader("llava_agent.checks", "."), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    shown = {key: path.relative_to(folder).as_posix() for key, path in images.items()}
    statuses = [verdict.status for spec in result.specs for verdict in spec.verdicts]
    html = environment.get_template("report.html").render(
        result=result,
        images=shown,
        identity=id,
        counts={name: statuses.count(name) for name in set(statuses)},
    )
    page = folder / "index.html"
    write_whole(page, html.encode())
    return page, images


def write_picture(verdict: Verdict, folder: Path) -> Path:
    """The screenshot with the region drawn, named by its content; of what passed, only what is around the
    region.
    """
    from PIL import Image

    from tools.marks.annotate import annotate

    assert verdict.screenshot is not None
    with Image.open(io.BytesIO(verdict.screenshot)) as opened:
        picture = opened.convert("RGB")
    if verdict.status == "pass":
        picture = annotate(picture, (), evidence=[verdict.box] if verdict.box else ())
        if verdict.box is not None:
            picture = picture.crop(_around(verdict.box, picture.size))
    else:
        picture = annotate(picture, (), chosen=verdict.box)
    picture.thumbnail((_SIDE, _SIDE))
    buffer = io.BytesIO()
    picture.quantize(128, method=Image.Quantize.FASTOCTREE).save(buffer, "PNG", compress_level=6)
    content = buffer.getvalue()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{hashlib.sha256(content).hexdigest()[:20]}.png"
    path.write_bytes(content)
    return path


def _around(box: Box, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The region with enough around it to know the place."""
    x0, y0, x1, y1 = box.clipped(*size).as_list()
    return max(0, x0 - _MARGIN), max(0, y0 - _MARGIN), min(size[0], x1 + _MARGIN), min(size[1], y1 + _MARGIN)
