import base64
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from llava_agent.errors import ConfigError
from training.data.files import read_rows, require_few_refusals
from training.data.record import sample_of
from training.data.sample import Picture, RowError, Sample

ASK = [{"from": "human", "value": "<image>\nWhat?"}, {"from": "gpt", "value": "A hat."}]


def png(colour: str = "red") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (6, 4), colour).save(buffer, "PNG")
    return buffer.getvalue()


def test_llava_json_messages_and_lines_of_them_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png())
    url = "data:image/png;base64," + base64.b64encode(png()).decode()
    parts = [{"type": "text", "text": "See "}, {"type": "image_url", "image_url": {"url": url}}]
    rows = [
        {"id": "one", "image": "a.png", "conversations": ASK},
        {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]},
        {"messages": [{"role": "user", "content": parts}, {"role": "assistant", "content": "red"}]},
    ]
    (tmp_path / "list.json").write_text(json.dumps(rows))
    (tmp_path / "lines.jsonl").write_text("\n".join(map(json.dumps, rows)))
    read = [read_rows(tmp_path / name) for name in ("list.json", "lines.jsonl")]
    assert read[0].samples == read[1].samples
    first, second, third = read[0].samples
    assert (first.id, second.id, third.id) == ("one", "1", "2")
    assert first.images[0].load().getpixel((0, 0)) == third.images[0].load().getpixel((0, 0)) == (255, 0, 0)
    assert third.turns[0].text == "See <image>"
    assert not second.images


def test_a_saved_data_set_is_read_without_decoding_it(tmp_path: Path) -> None:
    from datasets import Dataset, Features, Value
    from datasets import Image as ImageFeature

    turns = {"from": Value("string"), "value": Value("string")}
    features = Features({"id": Value("string"), "image": ImageFeature(), "conversations": [turns]})
    rows = {
        "id": ["x", "y"],
        "image": [{"bytes": png()}, {"bytes": b"no image"}],
        "conversations": [ASK, ASK],
    }
    Dataset.from_dict(rows, features=features).save_to_disk(tmp_path / "set")
    good, bad = read_rows(tmp_path / "set").samples
    assert good.images[0].load().size == (6, 4)
    with pytest.raises(RowError, match="no image that can be read"):
        bad.images[0].load()
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="no saved data set"):
        read_rows(tmp_path / "empty")


HUMAN, GPT = ASK


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"conversations": []}, "empty"),
        ({"conversations": [GPT]}, "turn 1 is the assistant's"),
        ({"conversations": [HUMAN, HUMAN], "image": "x"}, "turn 2 is the user's"),
        ({"conversations": [HUMAN], "image": "x"}, "does not end with an answer"),
        (
            {"conversations": [HUMAN, {"from": "gpt", "value": " "}], "image": "x"},
            "turn 2, an answer, is empty",
        ),
        ({"conversations": ASK}, "1 image marks but 0 images"),
        ({"conversations": ASK, "image": ["a", "b"]}, "1 image marks but 2 images"),
        (
            {"conversations": [{"from": "human", "value": "x"}, HUMAN | {"from": "gpt"}]},
            "outside of a user's turn",
        ),
        ({"conversations": [{"from": "robot", "value": "x"}]}, "unknown speaker ('robot')"),
        ({"conversations": "text"}, "not a list"),
        ({"image": "x"}, "neither"),
        ([1], "not an object"),
        ({"conversations": ASK, "image": "http://there/x.png"}, "lies on a server"),
        ({"conversations": ASK, "image": "data:image/png;base64,?"}, "damaged"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_with_its_reason(
    tmp_path: Path, record: object, reason: str
) -> None:
    (tmp_path / "x.json").write_text(json.dumps([{"conversations": ASK, "image": "a"}, record]))
    rows = read_rows(tmp_path / "x.json")
    assert [one.id for one in rows.samples] == ["0"]
    assert rows.refused[0].row == 1
    assert reason in rows.refused[0].reason
    with pytest.raises(ConfigError, match="1 of 2 rows"):
        require_few_refusals(rows.refused, rows.total, 0.49, rows.path)
    require_few_refusals(rows.refused, rows.total, 0.5, rows.path)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["conversations", "messages", "from", "value", "role", "content", "image", "type", "text"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(json_values)
def test_any_record_becomes_a_sample_or_a_reason(record: object) -> None:
    try:
        assert isinstance(sample_of(record, 0, Path("x")), Sample)
    except RowError as error:
        assert error.what


def test_broken_lines_and_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"conversations": ASK, "image": "a"}) + "\n{broken\n")
    assert "not valid JSON" in read_rows(tmp_path / "a.jsonl").refused[0].reason
    (tmp_path / "b.json").write_text("[{]")
    for name, said in (("b.json", "not valid JSON"), ("none.json", "cannot be read")):
        with pytest.raises(ConfigError, match=said):
            read_rows(tmp_path / name)
    (tmp_path / "c.json").write_text("")
    with pytest.raises(ConfigError, match="holds no row"):
        read_rows(tmp_path / "c.json")


def test_a_photo_that_lies_on_its_side_is_turned_and_a_cut_one_is_damaged(tmp_path: Path) -> None:
    image = Image.effect_noise((60, 40), 90).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "a.jpg", exif=exif)
    picture = Picture(tmp_path / "a.jpg")
    assert picture.size() == picture.load().size == (40, 60)
    cut = Picture((tmp_path / "a.jpg").read_bytes()[:-500])
    assert cut.size() == (40, 60)
    with pytest.raises(RowError, match="damaged"):
        cut.load()
