import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from llava_agent.cli import app
from llava_agent.errors import ConfigError
from llava_agent.exam.questions.question import Question
from tests.training.llava.tiny import config, write_data, write_models
from training.llava.run import train
from training.llava.settings import read_settings
from training.suite.compare import compare, mcnemar, page
from training.suite.measure import Measured, most_common_answer


def write_questions(folder: Path) -> Path:
    rows = []
    for number, (name, answer) in enumerate(
        [("red", "red"), ("green", "green"), ("blue", "red"), ("grey", "red")]
    ):
        rows.append({"id": str(number), "image": f"images/{name}.png", "question": "Which?", "answer": answer,
                     "answer_type": "exact", "kind": "colour"})  # fmt: skip
    rows.append({"id": "box", "image": "images/red.png", "question": "Where?", "answer": [0, 0, 20, 24],
                 "answer_type": "box", "kind": "place", "image_size": [40, 24]})  # fmt: skip
    rows.append({"id": "gone", "image": "images/gone.png", "question": "Which?", "answer": "x",
                 "answer_type": "exact", "kind": "colour"})  # fmt: skip
    path = folder / "questions.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def test_a_trained_run_is_measured_against_the_floor(tmp_path: Path) -> None:
    write_models(tmp_path)
    write_data(tmp_path)
    train(read_settings(config(tmp_path, steps=1)), tmp_path / "run")
    questions = write_questions(tmp_path)
    done = CliRunner().invoke(
        app,
        ["evaluate", str(tmp_path / "run" / "preset.yaml"), "--suite", str(questions), "--json",
         "--out", str(tmp_path / "result")],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert document["total"] == 6 and 0 <= document["interval"][0] <= document["accuracy"]
    assert document["kinds"]["colour"]["total"] == 5
    # Always "red" is right for three of the five colours, and the one box is its own best guess.
    assert document["floors"]["most_common_answer"]["right"] == 4
    assert "gone.png" in document["errors"][0]
    saved = [json.loads(line) for line in (tmp_path / "result" / "replies.jsonl").read_text().splitlines()]
    assert len(saved) == 6 and saved[0]["image"].endswith("red.png")


def write_result(folder: Path, right: list[bool], image: Path) -> Path:
    folder.mkdir()
    rows = [
        {
            "id": str(i),
            "question": "Q <b>?",
            "wanted": "w",
            "answer": f"a{hit}",
            "right": hit,
            "image": str(image),
        }
        for i, hit in enumerate(right)
    ]
    (folder / "replies.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder


def test_two_results_are_compared_question_by_question(tmp_path: Path) -> None:
    write_data(tmp_path)
    image = tmp_path / "images" / "red.png"
    one = write_result(tmp_path / "one", [True] * 10 + [False] * 10, image)
    two = write_result(tmp_path / "two", [True] * 9 + [False] + [True] * 8 + [False] * 2, image)
    found = compare(one, two)
    assert (found.won, found.lost, found.right) == (8, 1, (10, 17))
    assert found.p == pytest.approx(2 * (1 + 9) / 2**9)
    assert found.interval[0] < 7 / 20 < found.interval[1]
    html = page(found, one, two)
    assert html.count("<article>") == 9 and "data:image/jpeg" in html and "Q &lt;b&gt;?" in html
    done = CliRunner().invoke(
        app, ["evaluate", "--compare", str(one), str(two), "--out", str(tmp_path / "c")]
    )
    assert done.exit_code == 0 and (tmp_path / "c" / "compare.html").read_text() == html
    other = write_result(tmp_path / "other", [True] * 3, image)
    with pytest.raises(ConfigError, match=r"only .*one answers"):
        compare(one, other)
    with pytest.raises(ConfigError, match="holds no measurement"):
        compare(one, tmp_path)


@pytest.mark.parametrize(
    ("won", "lost", "p"), [(0, 0, 1.0), (1, 0, 1.0), (5, 5, 1.0), (12, 3, 0.03515625), (0, 6, 0.03125)]
)
def test_the_exact_test_is_the_binomial_one(won: int, lost: int, p: float) -> None:
    assert mcnemar(won, lost) == mcnemar(lost, won) == pytest.approx(p)


def test_the_floor_is_found_by_the_rules_that_judge() -> None:
    asked = [
        Question(
            id=str(i), image=Path("x"), question="?", answer=value, answer_type="number", tol=1.0, kind="n"
        )
        for i, value in enumerate((1.0, 2.0, 3.0, 9.0))
    ]
    assert most_common_answer(asked).successes == 3  # 2 is within one of 1, 2 and 3
    assert Measured("p", "w", "s", ()).as_dict()["total"] == 0
