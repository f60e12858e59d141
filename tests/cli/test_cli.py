"""The command line: light to start, exact in its exit codes, one line for an error."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from llava_agent import assembly, deployments
from llava_agent.agent import run as runs
from llava_agent.cli import app, main
from llava_agent.errors import ToolError
from llava_agent.gateway.model import Weights
from tests.ui.words import PHOTOS, core

PUMP = str(PHOTOS / "pump.jpg")
HEAVY = ("torch", "transformers", "gradio", "playwright", "onnxruntime", "numpy", "cv2", "PIL", "fastapi")


def call(*words: str) -> int:
    """Run the command in this process and give its exit code."""
    with pytest.raises(SystemExit) as exited:
        main(words)
    return int(exited.value.code or 0)


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small deterministic model instead of the weights."""
    monkeypatch.setattr(assembly, "assemble", lambda name: core())


def commands(group: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    group = group or typer.main.get_command(app)
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "from llava_agent.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit as exited:\n    assert exited.code in (0, None)\n"
        f"print('HEAVY', [name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "HEAVY []" in done.stdout
    assert "Commands" in done.stdout


@pytest.mark.parametrize(
    ("path", "command"),
    list(commands()),
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_every_command_shows_how_it_is_used(path: tuple[str, ...], command: Any) -> None:
    assert f"llava-agent {' '.join(path)}" in command.help.split("Examples:")[1]


def test_run_says_its_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("run", "--help") == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in ("passed", "failed", "blocked", "budget", "unverified"))


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--version") == 0
    assert capsys.readouterr().out.startswith("llava-agent ")


def test_a_misspelt_option_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("run", "--observe", "pixels") == 2
    assert "--observe" in capsys.readouterr().err


@pytest.mark.usefixtures("words")
def test_ask_tells_answer_and_evidence(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    seen = tmp_path / "seen.png"
    assert call("ask", PUMP, "What is the serial number?", "--annotated", str(seen)) == 0
    shown = capsys.readouterr()
    assert shown.out.splitlines()[0] == "SN-48213   (90% sure)"
    assert "258, 608, 352, 624" in shown.out
    assert "words, 121 tokens, 12 of the image" in shown.err
    from PIL import Image

    with Image.open(PUMP) as before, Image.open(seen) as after:
        assert before.size == after.size
        inside, outside = (305, 616), (900, 100)
        assert before.getpixel(inside) != after.getpixel(inside)
        assert before.getpixel(outside) == after.getpixel(outside)


@pytest.mark.usefixtures("words")
def test_ask_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("ask", PUMP, "What is the serial number?", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["answer"] == "SN-48213"
    assert answer["evidence"][0]["box"] == [258, 608, 352, 624]
    assert answer["tokens"] == {"prompt": 120, "image": 12, "output": 1}
    assert {"model", "image_sha256", "confidence", "ms"} <= answer.keys()


@pytest.mark.usefixtures("words")
def test_ask_tells_why(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    heat = tmp_path / "heat.png"
    assert call("ask", PUMP, "What is the serial number?", "--why", str(heat), "--by", "pointer") == 0
    shown = capsys.readouterr().out
    assert "Why, by pointer:" in shown and '90%  "SN-48213" text at 258, 608, 352, 624' in shown
    assert "Test: with the first covered" in shown and heat.exists()
    assert call("ask", PUMP, "What is the serial number?", "--why", str(heat), "--json") == 0
    why = json.loads(capsys.readouterr().out)["why"]
    assert why["method"] == "occlusion" and why["regions"][0]["text"] == "SN-48213" and why["deletion"]
    for words in (["--why", str(heat), "--by", "magic"], ["--why", str(tmp_path / "heat.docx")]):
        assert call("ask", PUMP, "What is the serial number?", *words) == 2
    assert "there is no view 'magic'" in capsys.readouterr().err


@pytest.mark.usefixtures("words")
def test_questions_are_counted(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    asked = {"id": "a", "image": PUMP, "question": "What is the serial number?", "answer": "SN-48213"}
    file, out = tmp_path / "q.jsonl", tmp_path / "replies.jsonl"
    file.write_text(json.dumps(asked | {"answer_type": "exact", "box": [252, 602, 355, 628]}))
    assert call("eval", "questions", str(file), "--out", str(out), "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["all"]["successes"], told["all"]["of"]) == (1, 1)
    assert told["evidence_in_region"]["rate"] == 1
    assert json.loads(out.read_text())["answer"] == "SN-48213"
    assert call("eval", "questions", str(tmp_path / "none.jsonl")) == 2


def test_check_says_what_holds_and_writes_what_ci_reads(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    spec = f"name: plate\npage: {PUMP}\nexpect:\n  - shows: SN-48213\n"
    file, report, junit = tmp_path / "a.yaml", tmp_path / "report", tmp_path / "report" / "junit.xml"
    file.write_text(spec)
    arguments = ("check", str(file), "--report", str(report), "--junit", str(junit))
    assert call(*arguments) == 0
    assert capsys.readouterr().out.startswith("pass\n")
    assert "SN-48213" in (report / "index.html").read_text()
    assert 'failures="0"' in junit.read_text()
    file.write_text(spec + "  - not_shows: NORPUMP\n")
    assert call("check", str(tmp_path), "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert [verdict["status"] for verdict in told["specs"][0]["verdicts"]] == ["pass", "fail"]
    file.write_text(spec + "  - state: {name: OK, is: enabled}\n")
    assert call("check", str(file)) == 3
    file.write_text("name: plate\npage: gone.png\nexpect: [{shows: x}]\n")
    assert call("check", str(file)) == 2


@pytest.mark.usefixtures("words")
def test_not_visible_is_an_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("ask", PUMP, "Who painted it?", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["answer"], answer["evidence"]) == ("not visible", [])


@pytest.mark.usefixtures("words")
@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("no-such.jpg", "what?"), "there is no file no-such.jpg"),
        ((PUMP, "  "), "the question is empty"),
        ((PUMP, "what?", "--annotated", "/no/such/folder/seen.png"), "cannot be written"),
        ((PUMP, "what?", "--annotated", "seen.nothing"), "cannot be written"),
    ],
)
def test_bad_input_is_one_line(
    arguments: tuple[str, ...], part: str, capsys: pytest.CaptureFixture[str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert call("ask", *arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1 and part in shown.err
    assert call("ask", *arguments, "--json") == 2
    shown = capsys.readouterr()
    error = json.loads(shown.out)["error"]
    assert part in error["what"] and error["mend"] and error["kind"].endswith("Error")
    assert shown.err == ""
    assert list(tmp_path.iterdir()) == []


def test_missing_weights_name_their_mend(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLAVA_AGENT_HOME", str(tmp_path))
    monkeypatch.setattr(assembly, "_cores", {})
    monkeypatch.setattr(deployments, "_loaded", {})
    assert call("ask", PUMP, "what?") == 2
    assert "llava-agent models pull embedded" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("model", "said"),
    [("embeded", "did you mean 'embedded'"), ("openai-compatible", "http://127.0.0.1:8000")],
)
def test_a_preset_that_cannot_serve(model: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("ask", PUMP, "what?", "--model", model) == 2
    assert said in capsys.readouterr().err


def test_run_needs_a_page_and_a_goal(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("run", "--task", "log in") == 2
    assert "--url" in capsys.readouterr().err


def test_resume_takes_no_new_goal(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert call("run", "--resume", str(tmp_path), "--task", "log in") == 2
    assert "--resume" in capsys.readouterr().err
    assert call("run", "--resume", str(tmp_path), "--policy", "blind") == 2
    assert "holds no run" in capsys.readouterr().err


def test_an_unreachable_page_is_blocked_and_reported(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    url = "http://127.0.0.1:9/"
    assert call("run", "--url", url, "--task", "x", "--policy", "blind", "--out", str(out), "--json") == 3
    result = json.loads(capsys.readouterr().out)
    assert result["status"] == "blocked" and "127.0.0.1" in result["reason"]
    assert Path(result["report"]).is_file() and json.loads((out / "result.json").read_text())


def test_a_run_without_expectations_ends_unverified(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from examples.maintenance import serve

    out = tmp_path / "run"
    with serve(tmp_path / "tickets.db") as url:
        code = call("run", "--url", url, "--task", "look", "--policy", "blind", "--out", str(out))
        shown = capsys.readouterr()
        assert code == 5
        assert shown.out.startswith("unverified: ") and f"Report: {out / 'report.html'}" in shown.out
        assert "done" in shown.err  # the steps
        expected = ("--expect-url", "/nowhere", "--max-steps", "1", "--out", str(tmp_path / "again"))
        assert call("run", "--url", url, "--task", "look", "--policy", "blind", *expected, "--json") == 4
        assert json.loads(capsys.readouterr().out)["status"] == "budget"


def test_ctrl_c_names_the_folder(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "run_task", interrupted)
    out = tmp_path / "run"
    assert call("run", "--url", "http://x.test", "--task", "x", "--policy", "blind", "--out", str(out)) == 130
    assert f"llava-agent run --resume {out}" in capsys.readouterr().err


def test_a_run_goes_on_with_the_policy_that_it_had(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    went = runs.run_task

    async def interrupted(*arguments: Any, **options: Any) -> None:
        await went(*arguments, **options)
        (out / "result.json").unlink()  # as a kill would have left it
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "run_task", interrupted)
    words = ("--url", "http://127.0.0.1:9/", "--task", "x", "--policy", "blind")
    assert call("run", *words, "--out", str(out)) == 130
    assert "interrupted" in (out / "report.html").read_text()
    capsys.readouterr()
    assert call("run", "--resume", str(out), "--json") == 3  # the page is still not there
    assert json.loads(capsys.readouterr().out)["status"] == "blocked"


@pytest.mark.usefixtures("words")
def test_demo_does_not_overwrite_a_demo(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "tickets.db").touch()
    assert call("demo", "--out", str(tmp_path), "--json") == 2
    assert "holds a demo already" in json.loads(capsys.readouterr().out)["error"]["what"]


def test_an_error_of_a_guard_keeps_its_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from llava_agent import doctor
    from llava_agent.errors import PermissionDenied

    def refuse() -> None:
        raise PermissionDenied("the host x.test is not on the allow-list", "add it")

    monkeypatch.setattr(doctor, "diagnose", refuse)
    assert call("doctor") == 3
    assert capsys.readouterr().err == "llava-agent: the host x.test is not on the allow-list: add it\n"


def test_doctor_fails_where_the_job_cannot_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from llava_agent import doctor
    from llava_agent.doctor import Check

    checks = [Check("Python", "ok", "3.11"), Check("weights", "fail", "none", "pull them")]
    monkeypatch.setattr(doctor, "diagnose", lambda: checks)
    assert call("doctor") == 1
    assert "-> pull them" in capsys.readouterr().out
    assert call("doctor", "--json") == 1
    assert json.loads(capsys.readouterr().out)["checks"][1]["mend"] == "pull them"
    monkeypatch.setattr(doctor, "diagnose", lambda: checks[:1])
    assert call("doctor", "--json") == 0


def test_models(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLAVA_AGENT_HOME", str(tmp_path))
    assert call("models", "list", "--json") == 0
    listed = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert listed["embedded"]["weights"] == "absent" and listed["llava-1.5-7b"]["weights"] == "elsewhere"
    assert call("models", "list") == 0
    assert all(name in capsys.readouterr().out for name in ["embedded"])
    assert call("models", "show", "embedded") == 0
    assert "SmolLM2-135M-Instruct" in capsys.readouterr().out
    assert call("models", "show", "embedded", "--json") == 0
    assert json.loads(capsys.readouterr().out)["needs"][0]["licence"] == "Apache-2.0"
    assert call("models", "show", "embeded") == 2
    assert "did you mean 'embedded'?" in capsys.readouterr().err


def test_pull_goes_where_it_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from llava_agent.vlm import weights

    asked: list[tuple[str, object]] = []

    def pull(name: str, source: object, progress: object) -> dict[str, Path]:
        asked.append((name, source))
        return {"language": tmp_path}

    monkeypatch.setattr(weights, "pull", pull)
    assert call("models", "pull", "embedded-text") == 0  # a preset over the same weights
    assert call("models", "pull", "embedded", "--from", "hub", "--json") == 0
    assert call("models", "pull", "imagenet-tower", "--from", str(tmp_path)) == 0
    assert asked == [("embedded", None), ("embedded", "hub"), ("imagenet-tower", tmp_path)]
    capsys.readouterr()
    assert call("models", "pull", "llava-1.5-7b") == 2
    assert "models show llava-1.5-7b" in capsys.readouterr().err


def test_a_failed_pull_is_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLAVA_AGENT_HOME", str(tmp_path))
    assert call("models", "pull", "embedded", "--from", str(tmp_path / "nothing")) == 2
    assert "there is no" in capsys.readouterr().err


def test_a_bug_is_not_dressed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    from llava_agent import doctor

    def broken() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(doctor, "diagnose", broken)
    with pytest.raises(ZeroDivisionError):
        main(["doctor"])


def test_loading_hands_on_what_went_wrong() -> None:
    def broken() -> Weights:
        raise ToolError("the disk is gone")

    from llava_agent.gateway.request import ModelRequest

    with pytest.raises(ToolError, match="the disk is gone"):
        deployments.Loading(broken).complete(ModelRequest("plan", "x"), pixels=False)
