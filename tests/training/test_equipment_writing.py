"""Rendered equipment on disk: runs that go on where they stopped, and the example photos that ship."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from llava_agent.errors import ConfigError
from tools.geometry import Box
from training.render.contact_sheet import save_within, tile
from training.render.equipment.__main__ import main
from training.render.equipment.examples import EXAMPLES, ground_truth
from training.render.equipment.writing import write_equipment

PHOTOS = Path(__file__).parents[2] / "examples" / "photos"


def test_a_run_that_was_cut_off_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    whole = write_equipment(3, 5, tmp_path / "whole", progress=False)
    index = write_equipment(2, 5, tmp_path / "cut", progress=False)
    index.write_bytes(index.read_bytes()[:-40])
    assert write_equipment(3, 5, tmp_path / "cut", progress=False) == index
    assert index.read_bytes() == whole.read_bytes()
    for line in index.read_text(encoding="utf-8").splitlines():
        name = json.loads(line)["file"]
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_folder_of_another_run_and_senseless_counts_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_equipment(1, 5, tmp_path, progress=False)
    before = (tmp_path / "scenes.jsonl").read_bytes()
    with pytest.raises(ConfigError, match="another run"):
        write_equipment(2, 6, tmp_path, progress=False)
    with pytest.raises(ConfigError, match="0 pictures"):
        write_equipment(0, 5, tmp_path, progress=False)
    assert main(["--count", "-1", "--out", str(tmp_path)]) == ConfigError.exit_code
    assert "-1 pictures" in capsys.readouterr().err
    assert (tmp_path / "scenes.jsonl").read_bytes() == before


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_the_example_photos_ship_with_their_truth(name: str) -> None:
    path = PHOTOS / f"{name}.jpg"
    assert path.stat().st_size < 300_000
    truth = json.loads((PHOTOS / f"{name}.json").read_text(encoding="utf-8"))
    with Image.open(path) as photo:
        assert photo.size == (truth["width"], truth["height"]) == (1200, 900)
    assert truth["readings"]["asset_tag"]["value"]
    for reading in truth["readings"].values():
        box = Box(*reading["box"])
        assert box.area > 0 and box == box.clipped(1200, 900)


def test_the_pump_can_be_drawn_again() -> None:
    """Fonts differ between machines, so the places may differ a little; the readings may not."""
    stored = json.loads((PHOTOS / "pump.json").read_text(encoding="utf-8"))["readings"]
    drawn = ground_truth("pump", EXAMPLES["pump"]())["readings"]
    assert {k: v["value"] for k, v in drawn.items()} == {k: v["value"] for k, v in stored.items()}
    assert stored["pressure"]["value"] == 6.4 and stored["pressure"]["unit"] == "bar"
    for key, reading in stored.items():
        assert Box(*reading["box"]).iou(Box(*drawn[key]["box"])) > 0.5


def test_every_value_on_the_pump_is_legible_where_the_truth_says() -> None:
    """Character recognition finds each value of the plate and the tag inside of its box."""
    from rapidocr import RapidOCR

    truth = json.loads((PHOTOS / "pump.json").read_text(encoding="utf-8"))
    found = RapidOCR()(str(PHOTOS / "pump.jpg"))
    lines = [
        (text, Box(*(float(edge) for edge in (*corners.min(0), *corners.max(0)))))
        for text, corners in zip(found.txts, found.boxes, strict=True)
    ]
    for reading in truth["readings"].values():
        if "label" in reading:
            x, y = Box(*reading["box"]).centre
            assert any(reading["value"] in text and box.contains(x, y) for text, box in lines), reading
    numerals = next(item for item in truth["items"] if item["kind"] == "dial")["numerals"]
    read = [
        n for n in numerals if any(t == n["text"] and b.contains(*Box(*n["box"]).centre) for t, b in lines)
    ]
    assert len(read) >= len(numerals) - 1


def test_a_sheet_is_tiled_and_kept_within_its_limit(tmp_path: Path) -> None:
    sheet = tile([Image.effect_noise((90, 60), 80).convert("RGB")] * 5, 3, (90, 60), gap=4)
    assert sheet.size == (3 * 94 - 4, 2 * 64 - 4)
    save_within(sheet, tmp_path / "docs" / "sheet.jpg", 20_000)
    assert 0 < (tmp_path / "docs" / "sheet.jpg").stat().st_size <= 20_000
