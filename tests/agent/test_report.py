from __future__ import annotations

import re
from pathlib import Path

from llava_agent.agent.baselines import OraclePolicy
from llava_agent.agent.record import StepRecord, StoredMark
from llava_agent.agent.report import Check, outlines, png_size, write_report
from llava_agent.agent.run import run_task
from llava_agent.agent.trace import Trace, read_records
from llava_agent.gateway.compare import Comparison
from llava_agent.gateway.gateway import Gateway
from llava_agent.gateway.ledger import Total
from tests.agent.world import ADDRESS, Form, png
from tools.action import Click, Target, Type


async def run(folder: Path, text: str = "Ada") -> Trace:
    script = [Type(target=Target(text="Name"), text=text), Click(target=Target(text="Save"))]
    await run_task(
        ADDRESS,
        "save <b>Ada</b>",
        gateway=Gateway({}),
        out=folder,
        policy=lambda _: OraclePolicy(script),
        open_surface=Form().open,
    )
    return Trace.open(folder)


async def test_page_text_cannot_become_markup(tmp_path: Path) -> None:
    await run(tmp_path / "run", text="<script>alert(1)</script>")
    page = (tmp_path / "run" / "report.html").read_text()
    assert "<script" not in page and "&lt;script&gt;" in page
    assert "save &lt;b&gt;Ada&lt;/b&gt;" in page


async def test_images_are_linked_and_exist(tmp_path: Path) -> None:
    await run(tmp_path / "runs" / "web")
    page = write_report([tmp_path / "runs" / "web"], tmp_path / "report.html")
    links = set(re.findall(r'src="([^"]+)"', page.read_text()))
    assert links and all((tmp_path / link).is_file() for link in links)
    assert all(link.startswith("runs/web/images/") for link in links)
    assert page.read_text().count('class="target"') == 2


async def test_several_runs_checks_and_the_measured_comparison_share_a_page(tmp_path: Path) -> None:
    await run(tmp_path / "web")
    await run(tmp_path / "api")
    page = write_report(
        [tmp_path / "web", tmp_path / "api"],
        tmp_path / "report.html",
        title="Both",
        checks=[Check(True, "one ticket"), Check(False, "right pressure")],
        comparison=Comparison(Total(9, 1200, 0, 9, 0, 800.0), Total(9, 54321, 40000, 9, 0, 9000.0), 7, 6),
    ).read_text()
    verdict = page.partition("in all")
    assert "failed</span>" in verdict[0].rpartition("<h1>")[2]
    assert "1 of 2 checks from outside hold" in verdict[2]
    assert page.count("<article") == 6
    assert "one ticket" in page and ">fails<" in page
    assert "54\u202f321" in page and "9.0 s" in page


async def test_five_hundred_steps_stay_light(tmp_path: Path) -> None:
    trace = await run(tmp_path / "run")
    step = next(record for record in read_records(trace.folder) if isinstance(record, StepRecord))
    crowded = tuple(
        StoredMark(ref=f"m{n}", role="button", text=f"Button {n}", box=(n, n, n + 40, n + 20), source="dom")
        for n in range(60)
    )
    look = step.observation.model_copy(update={"marks": crowded})
    more = [step.model_copy(update={"step": index, "observation": look}) for index in range(3, 500)]
    with (trace.folder / "steps.jsonl").open("a") as file:
        file.writelines(record.model_dump_json() + "\n" for record in more)
    page = write_report([trace.folder], trace.folder / "report.html")
    assert page.read_text().count("<article") == 500
    assert page.stat().st_size < 2_000_000
    assert len(list((trace.folder / "images").iterdir())) == 3


def test_png_size_reads_the_header_only(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(size=(33, 44)))
    (tmp_path / "b.png").write_bytes(b"not a picture")
    assert png_size(tmp_path / "a.png") == (33, 44)
    assert png_size(tmp_path / "b.png") is None
    assert png_size(tmp_path / "none.png") is None


def test_outlines_are_one_path() -> None:
    mark = StoredMark(ref="a", role="button", text="", box=(1, 2, 11, 7), source="dom")
    assert outlines([mark, mark.model_copy(update={"box": None})]) == "M1 2h10v5h-10z"
