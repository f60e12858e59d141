"""A whole inspection on included photos, what changed since, and the files that come out."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from PIL import Image
from pypdf import PdfReader
from typer.testing import CliRunner

from llava_agent.cli import app
from llava_agent.errors import ConfigError
from llava_agent.inspection.compare import compare
from llava_agent.inspection.document import InspectionDocument, read_document
from llava_agent.inspection.draw import draw
from llava_agent.inspection.export import to_csv, to_pdf
from llava_agent.inspection.finding import Citation, Fault, Inspection
from llava_agent.inspection.guidance import next_steps
from llava_agent.inspection.inspect import inspect_photos
from tools.photo import load_image

PHOTOS = Path(__file__).parents[2] / "examples" / "photos"
TRUE = json.loads((PHOTOS / "pump.json").read_text())["readings"]


@pytest.fixture(scope="module")
def pump() -> Inspection:
    """Without models: OCR and shapes alone."""
    return inspect_photos([("pump.jpg", load_image(PHOTOS / "pump.jpg"))])


def test_the_plate_is_read_with_its_regions(pump: Inspection) -> None:
    lines = {line.key: line for line in pump.lines}
    for key in ("model", "serial_number", "year", "max_pressure", "power", "voltage"):
        assert lines[key].value == TRUE[key]["value"]
        box, true = lines[key].evidence[0].box, TRUE[key]["box"]
        assert box is not None and abs(box[0] - true[0]) < 12 and abs(box[1] - true[1]) < 12
    assert pump.asset == "P-1042"
    assert all(line.evidence and line.evidence[0].box for line in pump.lines)


def test_a_gauge_that_was_not_read_is_asked_for(pump: Inspection) -> None:
    assert not any(line.kind == "gauge" for line in pump.lines)
    assert any("gauge" in one.what for one in pump.missing)
    assert any("straight from the front" in step.do for step in pump.steps)


def test_several_photos_agree(pump: Inspection) -> None:
    photo = load_image(PHOTOS / "pump.jpg")
    small = load_image(_png(photo.image.resize((1000, 750))))
    both = inspect_photos([("a", photo), ("b", small)])
    (serial,) = [line for line in both.lines if line.key == "serial_number"]
    assert len(serial.evidence) == 2
    assert serial.confidence >= next(line for line in pump.lines if line.key == "serial_number").confidence


def test_no_photos_and_too_many_are_refused() -> None:
    photo = load_image(PHOTOS / "pump.jpg")
    for photos in ([], [("a", photo)] * 13):
        with pytest.raises(ConfigError, match="1 to 12"):
            inspect_photos(photos)


def test_an_empty_wall_gives_a_question_and_no_claim() -> None:
    wall = load_image(_png(Image.linear_gradient("L").resize((640, 480)).convert("RGB")))
    found = inspect_photos([("wall", wall)])
    assert found.lines == () and found.faults == ()
    assert any("nameplate or asset tag" in one.ask for one in found.missing)


def test_steps_cite_the_manuals() -> None:
    fault = Fault("error_code", "fault", "error code E17", "it stands there", 0.9, ())
    asked: list[str] = []

    def search(query: str) -> list[Citation]:
        asked.append(query)
        return [Citation("manual.pdf", 12, "E17: dry running")] * 5

    (step,) = next_steps([fault, fault], (), (), search)
    assert asked == ["error code E17"] and len(step.citations) == 2


def document(pump: Inspection, **values: str) -> InspectionDocument:
    """The inspection with other values for some keys."""
    content = pump.as_dict()
    for line in content["lines"]:
        if line["key"] in values:
            line["value"] = values[line["key"]]
    return read_document(json.dumps(content))


def test_what_changed_since(pump: Inspection) -> None:
    before = document(pump)
    assert compare(before, before) == ()
    (change,) = compare(before, document(pump, serial_number="SN-1"))
    assert change.kind == "identity" and change.sentence == "Serial number: SN-48213 → SN-1"


def test_readings_move() -> None:
    def one(value: str, number: float, unit: str) -> InspectionDocument:
        line = {
            "kind": "gauge",
            "key": "gauge_pressure",
            "name": "Pressure",
            "value": value,
            "number": number,
        }
        return read_document({"photos": [], "lines": [{**line, "unit": unit, "confidence": 0.9}]})

    six = one("6 bar", 6, "bar")
    assert compare(six, one("0.6 MPa", 0.6, "MPa")) == ()
    assert compare(six, one("6.1 bar", 6.1, "bar")) == ()
    (moved,) = compare(six, one("8 bar", 8, "bar"))
    assert moved.by == 2 and moved.sentence == "Pressure: 6 bar → 8 bar (+2)"
    (gone,) = compare(six, read_document({"photos": [], "lines": []}))
    assert gone.sentence == "no longer seen: Pressure 6 bar"


def test_a_spreadsheet_computes_nothing(pump: Inspection) -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(document(pump, model="=HYPERLINK(1)", year="-5 °C")))))
    values = {row["key"]: row["value"] for row in rows}
    assert values["model"] == "'=HYPERLINK(1)" and values["year"] == "-5 °C"
    assert rows[0]["photo"] == "pump.jpg" and int(rows[0]["x0"]) > 0


def test_the_pdf_holds_the_table_and_the_photo(pump: Inspection) -> None:
    photo = load_image(PHOTOS / "pump.jpg")
    drawn = draw(document(pump), {photo.sha256: photo.image})
    content = to_pdf(document(pump, model="<b>&NK"), drawn, about=[("Filed", "ticket 7")])
    reader = PdfReader(io.BytesIO(content))
    text = "\n".join(page.extract_text() for page in reader.pages)
    assert "SN-48213" in text and "<b>&NK" in text and "ticket 7" in text
    assert sum(len(page.images) for page in reader.pages) == 1


def test_a_document_is_read_strictly() -> None:
    for content in ("{}", "[]", '{"photos": [], "lines": [], "extra": 1}', "\x00"):
        with pytest.raises(ConfigError, match="no inspection"):
            read_document(content)


def test_a_missing_photo_and_a_wrong_earlier_file_are_one_sentence(tmp_path: Path) -> None:
    from llava_agent.errors import ImageError

    runner = CliRunner()
    result = runner.invoke(app, ["inspect", str(tmp_path / "no.jpg")])
    assert isinstance(result.exception, ImageError)
    (tmp_path / "old.json").write_text("{}")
    result = runner.invoke(app, ["inspect", "x.jpg", "--compare", str(tmp_path / "old.json")])
    assert isinstance(result.exception, ConfigError)


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
