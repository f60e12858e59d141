"""Documents: they hold what was given, and nothing in them runs."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.documents import CreateDocument, NewDocument, as_csv, harmless, render
from tools.files import Folder
from tools.tool import Toolbox
from tools.typed import BadArguments


def test_csv_cells_cannot_run_as_formulas() -> None:
    rows = (("=1+1", "+A1", "@SUM(A1)"), ("-5", "-cmd|x", "\t=1"), ("plain", 3, None))
    content = as_csv(NewDocument(name="a.csv", columns=("=x", "b", "c"), rows=rows))
    found = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    assert found == [
        ["'=x", "b", "c"], ["'=1+1", "'+A1", "'@SUM(A1)"], ["-5", "'-cmd|x", "'\t=1"], ["plain", "3", ""],
    ]  # fmt: skip


@given(st.text(max_size=40))
def test_no_text_begins_like_a_formula(text: str) -> None:
    cell = harmless(text)
    assert isinstance(cell, str) and cell.lstrip("'") == text.lstrip("'")
    begins = cell.lstrip()
    if begins[:1] in ("=", "@"):
        raise AssertionError(cell)


def test_markdown() -> None:
    given_ = NewDocument(
        name="a.md", title="Pump", text="Two\nlines.", columns=("a", "b|c"), rows=((1, "x\ny"),)
    )
    assert render(given_).decode() == "# Pump\n\nTwo\nlines.\n\n| a | b\\|c |\n| --- | --- |\n| 1 | x y |\n"


def test_pdf_holds_the_text_and_no_markup() -> None:
    from pypdf import PdfReader

    text = '# Findings\n\n<img src="http://example.com/x.png"/> & <b>bold</b>\n\n- one\n- two\n\n日本'
    rows = tuple((number, "a long cell " * 30) for number in range(60))
    content = render(NewDocument(name="a.pdf", title="Report", text=text, columns=("no", "what"), rows=rows))
    pages = PdfReader(io.BytesIO(content)).pages
    read = " ".join(" ".join(page.extract_text() for page in pages).split())
    assert '<img src="http://example.com/x.png"/> & <b>bold</b>' in read
    assert "Findings" in read and " one " in read and "??" in read
    assert len(pages) > 2
    huge = NewDocument(name="a.pdf", rows=(("word " * 5000,),))
    assert render(huge)[:5] == b"%PDF-"  # one cell longer than a page


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "a.exe", "text": "x"},
        {"name": "a.csv"},
        {"name": "a.md"},
        {"name": "noending", "text": "x"},
        {"name": "a.md", "columns": ("a",), "rows": ((1, 2),)},
    ],
)
def test_what_cannot_be_made(wrong: dict[str, object]) -> None:
    with pytest.raises(BadArguments):
        render(NewDocument.model_validate(wrong))


async def test_as_a_tool(tmp_path: Path) -> None:
    box = Toolbox([CreateDocument(Folder(tmp_path / "run"))])
    asked = {"name": "out/list.csv", "columns": ["tag"], "rows": [["P-1"], ["=2"]]}
    assert (await box.call("document.create", asked)).ok
    assert (tmp_path / "run" / "out" / "list.csv").read_text("utf-8-sig") == "tag\nP-1\n'=2\n"
    assert "there already" in (await box.call("document.create", asked)).detail
    assert (await box.call("document.create", {**asked, "name": "../x.csv"})).reason == "denied"
