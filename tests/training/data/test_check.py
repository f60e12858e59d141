import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from llava_agent.commands.data import data
from llava_agent.vlm.chat import Chat
from tests.vlm.language_models import IMAGE, tiny_tokenizer
from training.data.files import read_rows
from training.data.show import page, pieces
from training.data.survey import survey


@pytest.fixture
def file(tmp_path: Path) -> Path:
    Image.effect_noise((64, 64), 50).convert("RGB").save(tmp_path / "a.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "a.png").read_bytes()[:-900])
    ask = [{"from": "human", "value": "<image>\n<b>What?</b>"}, {"from": "gpt", "value": "Blue sky."}]
    rows = [{"id": name, "image": f"{name}.png", "conversations": ask} for name in ("a", "cut", "none")]
    rows.append(
        {"id": "talk", "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Ho"}]}
    )
    rows.append({"id": "empty", "conversations": []})
    (tmp_path / "data.json").write_text(json.dumps(rows))
    return tmp_path / "data.json"


def test_every_problem_is_named_and_the_rest_is_measured(file: Path) -> None:
    chat = Chat(tiny_tokenizer(), IMAGE)
    found = survey(read_rows(file), chat, image_tokens=16)
    assert [(one.id, one.row) for one in found.refused] == [("cut", 1), ("none", 2), ("empty", 4)]
    assert "damaged" in found.refused[0].reason and "missing" in found.refused[1].reason
    assert found.images == {0: 1, 1: 1}
    # [user] = 6 bytes, the image 16, line break and words 13, [assistant] 11, the answer 9, its end 1; this
    # template ends with one more [assistant].
    assert found.lengths == [6 + 16 + 13 + 11 + 9 + 1 + 11, 6 + 2 + 11 + 2 + 1 + 11]
    assert found.supervised == [10, 3]
    assert sum(count for _, count in found.histogram()) == 2
    short = survey(read_rows(file), chat, image_tokens=16, limit=50, decode=False)
    assert {one.id: one.reason for one in short.refused}["a"] == "67 tokens, more than the limit of 50"
    words = survey(read_rows(file), image_tokens=16)
    assert (words.unit, words.lengths, words.supervised) == ("words", [16 + 1 + 2, 2], [2, 1])


def test_a_sample_is_shown_with_what_is_learnt_and_html_in_it_stays_text(file: Path) -> None:
    rows = read_rows(file)
    chat = Chat(tiny_tokenizer(), IMAGE)
    shown = pieces(rows.samples[0], chat)
    assert [(one.text, one.learnt) for one in shown] == [
        ("[user]<image>\n<b>What?</b>[assistant]", False), ("Blue sky.</s>", True), ("[assistant]", False),
    ]  # fmt: skip
    html = page(survey(rows, chat, image_tokens=16).as_dict(), rows.samples[0], shown)
    assert "<mark>Blue sky.&lt;/s&gt;</mark>" in html and "<b>What" not in html
    assert "data:image/jpeg;base64," in html and "missing" in html


def test_the_command_fails_above_the_threshold_and_writes_its_report(file: Path, tmp_path: Path) -> None:
    run = CliRunner()
    report = tmp_path / "out" / "report.html"
    failed = run.invoke(data, ["check", str(file), "--json", "--html", str(report)])
    assert failed.exit_code == 1
    assert json.loads(failed.stdout)["usable"] == 2
    assert "Rows that cannot be used" in report.read_text()
    passed = run.invoke(data, ["check", str(file), "--allow", "0.6"])
    assert passed.exit_code == 0
    assert "2 of 5 rows can be used" in passed.stdout and "Blue sky." in passed.stdout
