"""Rule files against folders of images, with their descriptions in every format."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from llava_agent.checks.rules.descriptions import read_descriptions
from llava_agent.checks.rules.rulebook import RuleBook, read_rules
from llava_agent.checks.rules.run import run_rules
from llava_agent.errors import ConfigError

RULES = {
    "name": "plates",
    "rules": [
        {"name": "serial", "expect": {"pattern": "SN-#####"}},
        {"name": "own serial", "expect": {"shows": "{serial}"}},
        {"name": "no price", "expect": {"not_shows": "EUR"}, "when": {"kind": "plate"}},
        {"name": "size", "size": [400, 200]},
        {"name": "ground", "ground": "white"},
        {"name": "has a title", "described": ["title"]},
    ],
}


def plate(folder: Path, name: str, text: str, ground: str = "white") -> None:
    image = Image.new("RGB", (480, 240), ground)
    ImageDraw.Draw(image).text((60, 90), text, fill="black", font=ImageFont.load_default(size=40))
    image.save(folder / name)


def test_one_verdict_for_each_image_and_rule(tmp_path: Path) -> None:
    plate(tmp_path, "a.png", "SN-48213")
    plate(tmp_path, "b.png", "12 EUR", "orange")
    (tmp_path / "c.png").write_bytes(b"no image")
    about = {
        "a.png": {"serial": "SN-48213", "kind": "plate", "title": "Pump"},
        "b.png": {"serial": "SN-1", "kind": "Plate", "title": " "},
        "d.png": {},
    }
    result = run_rules(RuleBook.model_validate(RULES), tmp_path, about)
    first, second, third, fourth = result.specs
    assert [verdict.status for verdict in first.verdicts] == ["pass"] * 6
    assert [verdict.status for verdict in second.verdicts] == ["fail", "fail", "fail", "pass", "fail", "fail"]
    assert third.status == "error" and "c.png" in third.problem
    assert fourth.status == "error" and "does not exist" in fourth.problem
    assert first.verdicts[0].box is not None and first.verdicts[0].words.startswith("serial: ")


def test_a_rule_for_others_does_not_apply_and_a_missing_column_is_an_error(tmp_path: Path) -> None:
    plate(tmp_path, "a.png", "SN-48213")
    (result,) = run_rules(RuleBook.model_validate(RULES), tmp_path, {}).specs
    assert [verdict.status for verdict in result.verdicts] == ["pass", "error", "pass", "pass", "fail"]
    assert "no serial" in result.verdicts[1].detail


def test_descriptions_are_read_from_every_format(tmp_path: Path) -> None:
    rows = [{"image": "a.png", "serial": "1"}, {"image": "b.png", "serial": "2"}]
    (tmp_path / "d.csv").write_text("image,serial\na.png,1\nb.png,2\n")
    (tmp_path / "d.json").write_text(json.dumps(rows))
    (tmp_path / "d.yaml").write_text("a.png: {serial: 1}\nb.png: {serial: 2}\n")
    found = [read_descriptions(tmp_path / f"d.{kind}") for kind in ("csv", "json", "yaml")]
    assert found[0] == found[1] == found[2] == {row["image"]: row for row in rows}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("d.csv", "image,a\n,1\n", "has no 'image'"),
        ("d.csv", "image,a\nx.png,1\nx.png,2\n", "twice"),
        ("d.json", "[1]", "no table"),
        ("d.json", "{", "cannot be read"),
        ("d.yaml", "a: [", "cannot be read"),
    ],
)
def test_a_wrong_description_is_named(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=said):
        read_descriptions(tmp_path / name)


@pytest.mark.parametrize(
    "rule",
    [
        "{name: a}",
        "{name: a, size: [1, 1], ground: white}",
        "{name: a, expect: {show: x}}",
        "{name: a, ground: sky}",
    ],
)
def test_a_wrong_rule_is_named(tmp_path: Path, rule: str) -> None:
    (tmp_path / "r.yaml").write_text(f"name: a\nrules: [{rule}]\n")
    with pytest.raises(ConfigError):
        read_rules(tmp_path / "r.yaml")


def test_a_folder_without_images_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no image"):
        run_rules(RuleBook.model_validate(RULES), tmp_path)
