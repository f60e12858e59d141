"""Every format gives its headings, tables and pages; what cannot be read is refused with a sentence."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llava_agent.knowledge.block import Block, Document
from llava_agent.knowledge.errors import DocumentError
from llava_agent.knowledge.formats import read_document
from llava_agent.knowledge.formats.html import read_html
from llava_agent.knowledge.formats.markdown import read_markdown
from llava_agent.knowledge.formats.pdf_rows import Piece, blocks_of, rows_of
from llava_agent.knowledge.formats.plain import read_text
from llava_agent.knowledge.limits import ReadLimits
from llava_agent.knowledge.reading import DocumentReader

MANUALS = Path(__file__).parents[2] / "examples" / "manuals"
LIMITS = ReadLimits()


def _table(document: Document, word: str) -> str:
    return next(block.text for block in document.blocks if block.kind == "table" and word in block.text)


def test_a_pdf_keeps_pages_headings_and_tables() -> None:
    document = read_document(MANUALS / "norpump-nk-65-200.pdf", LIMITS)
    assert document.title == "Norpump NK 65-200 Operating Manual"
    assert document.pages == 4
    headings = {block.text: block for block in document.blocks if block.kind == "heading"}
    assert headings["6 Faults"].page == 3
    assert headings["5.1 Replacing the mechanical seal"].level > headings["5 Maintenance"].level
    rows = _table(document, "E14").split("\n")
    assert rows[0] == "Code | Meaning | What to do"
    assert (
        "E14 | Dry running: no liquid at the suction side | Stop the pump, open the suction valve, fill and"
        " vent the casing, check the level in the tank"
    ) in rows
    text = "\n".join(block.text for block in document.blocks)
    assert "Page 2" not in text  # running foot
    assert text.count("Norpump NK 65-200 Operating Manual") <= 1  # running head


def test_a_docx_keeps_headings_and_tables() -> None:
    document = read_document(MANUALS / "kx-315-compressor.docx", LIMITS)
    assert document.pages is None
    assert any(block.kind == "heading" and block.text == "Changing the oil" for block in document.blocks)
    assert "E14 | Drive belt slipping or torn | Check the tension, replace all three belts" in _table(
        document, "E14"
    )


def test_a_picture_is_read_by_ocr(tmp_path: Path) -> None:
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", (900, 300), "white")
    draw = ImageDraw.Draw(image)
    draw.text((40, 40), "Hydraulic oil HLP 32", fill="black", font=ImageFont.load_default(48))
    draw.text((40, 160), "Emergency number 4711", fill="black", font=ImageFont.load_default(48))
    image.save(tmp_path / "scan.pdf", resolution=100)
    document = read_document(tmp_path / "scan.pdf", LIMITS)
    assert [block.kind for block in document.blocks] == ["ocr"]
    assert "HLP 32" in document.blocks[0].text and "4711" in document.blocks[0].text
    assert document.blocks[0].page == 1


def test_markdown() -> None:
    text = (
        "---\na: b\n---\n# Pump\nSome **bold** text\nof [two](x) lines.\n\n"
        "| A | B |\n|---|:-:|\n| 1 | `2` |\n\n"
        "```\n# no heading\n```\n- one\n\n- two\n"
    )
    document = read_markdown(text)
    assert document.title == "Pump"
    assert [(block.kind, block.text) for block in document.blocks] == [
        ("heading", "Pump"),
        ("text", "Some bold text\nof two lines."),
        ("table", "A | B\n1 | 2"),
        ("text", "# no heading"),
        ("text", "- one\n- two"),
    ]


def test_html_leaves_out_what_nobody_sees() -> None:
    page = (
        "<!doctype html><html><head><title>T</title><script>x()</script></head><body><nav>Menu</nav>"
        "<h2>Oil</h2><div>Loose <b>bold</b><p>In a block</p></div><!-- note --><p hidden>secret</p>"
        "<table><tr><th>A<td>B<tr><td>1<td>2</table><ul><li>one<li>two</ul></body></html>"
    )
    document = read_html(page)
    assert document.title == "T"
    assert [block.text for block in document.blocks] == [
        "Oil", "Loose bold", "In a block", "A | B\n1 | 2", "one", "two",
    ]  # fmt: skip


def test_plain_text_headings_and_pages() -> None:
    document = read_text("Pump manual\n===========\n\n2.1 Draining\nOpen the plug.\n\fSAFETY\n\nWear gloves.")
    assert [(block.kind, block.level, block.page, block.text) for block in document.blocks] == [
        ("heading", 1, 1, "Pump manual"),
        ("heading", 2, 1, "2.1 Draining"),
        ("text", 0, 1, "Open the plug."),
        ("heading", 1, 2, "SAFETY"),
        ("text", 0, 2, "Wear gloves."),
    ]


def test_inline_bold_text_is_no_cell() -> None:
    pieces = [
        Piece("Press the", 50, 700, 10, False),
        Piece("green", 97, 700, 10, True),
        Piece("button and con-", 128, 700, 10, False),
        Piece("tinue.", 50, 688, 10, False),
    ]
    rows = rows_of(pieces[:3])
    assert [row.text for row in rows] == ["Press the green button and con-"]
    assert blocks_of([rows])[0].kind == "text"


def test_items_and_gaps_are_no_tables() -> None:
    pieces = [
        Piece("•", 50, 700, 10, False),
        Piece("Open the valve", 64, 700, 10, False),
        Piece("slowly.", 64, 688, 10, False),
        Piece("1.", 50, 670, 10, False),
        Piece("Drain it", 64, 670, 10, False),
        Piece(";", 140, 670, 10, False),
        Piece("Left", 50, 640, 10, False),
        Piece("Right", 300, 640, 10, False),
        Piece("Next paragraph of its own.", 50, 600, 10, False),
    ]
    found = [(block.kind, block.text) for block in blocks_of([rows_of(pieces)])]
    assert found == [
        ("text", "• Open the valve slowly."),
        ("text", "1. Drain it;"),
        ("text", "Left Right"),
        ("text", "Next paragraph of its own."),
    ]


@given(st.text(max_size=2000))
def test_no_text_breaks_a_reader(text: str) -> None:
    for read in (read_text, read_markdown, read_html):
        document = read(text)
        assert all(isinstance(block, Block) for block in document.blocks)


def _encrypted(path: Path) -> None:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(MANUALS / "wk-120-boiler.pdf"))
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(path)


def _docx_bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"<a>" * 20_000_000)


def _pdf_bomb(path: Path) -> None:
    """One page whose content unpacks to 100 MB, packed twice over."""
    packed = zlib.compress(zlib.compress(b" " * 100_000_000, 9), 9)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >>",
        b"<< /Length %d /Filter [/FlateDecode /FlateDecode] >>\nstream\n%s\nendstream"
        % (len(packed), packed),
    ]
    out = io.BytesIO(b"%PDF-1.7\n")
    out.seek(0, 2)
    places = []
    for number, content in enumerate(objects, start=1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, content))
    start = out.tell()
    out.write(b"xref\n0 5\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places))
    out.write(b"trailer << /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % start)
    path.write_bytes(out.getvalue())


def _cut_off(path: Path) -> None:
    name = "norpump-nk-65-200.pdf" if path.suffix == ".pdf" else "kx-315-compressor.docx"
    content = (MANUALS / name).read_bytes()
    path.write_bytes(content[: len(content) // 3])


@pytest.mark.parametrize(
    ("name", "make", "words"),
    [
        ("empty.pdf", lambda path: path.write_bytes(b""), r"empty \(0 bytes\)"),
        ("blank.md", lambda path: path.write_text("\n \n"), "holds no text"),
        ("cut.pdf", _cut_off, "damaged or cut off"),
        ("cut.docx", _cut_off, "damaged or cut off"),
        ("noise.pdf", lambda path: path.write_bytes(bytes(range(256)) * 40), "damaged or cut off"),
        ("locked.pdf", _encrypted, "encrypted"),
        ("locked.docx", lambda path: path.write_bytes(b"\xd0\xcf\x11\xe0" + b"\0" * 600), "encrypted"),
        ("bomb.docx", _docx_bomb, "unpacks to 60 MB"),
        ("bomb.pdf", _pdf_bomb, "unpacks to far more|holds no text|damaged"),
        ("binary.txt", lambda path: path.write_bytes(b"a\0b"), "is no text"),
        ("manual.xyz", lambda path: path.write_text("x"), "no known format"),
        ("broken.png", lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n"), "not an image|damaged"),
    ],
)
def test_bad_documents_are_refused_with_a_sentence(
    tmp_path: Path, name: str, make: object, words: str
) -> None:
    assert callable(make)
    make(tmp_path / name)
    with pytest.raises(DocumentError, match=words) as caught:
        read_document(tmp_path / name, LIMITS)
    assert name in caught.value.what or "image" in caught.value.what


def test_limits_of_size_and_pages(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="4 pages, above the limit of 2"):
        read_document(MANUALS / "norpump-nk-65-200.pdf", ReadLimits(pages=2))
    with pytest.raises(DocumentError, match="above the limit of 0 MB"):
        read_document(MANUALS / "norpump-nk-65-200.pdf", ReadLimits(bytes=1000))
    with pytest.raises(DocumentError, match="characters, above the limit"):
        read_document(MANUALS / "norpump-nk-65-200.pdf", ReadLimits(characters=100))


def test_one_that_takes_too_long_is_stopped_and_the_next_is_read() -> None:
    reader = DocumentReader(ReadLimits(seconds=0.0))
    with reader:
        with pytest.raises(DocumentError, match=r"within 0 seconds"):
            reader.read(MANUALS / "norpump-nk-65-200.pdf")
        reader.limits = LIMITS
        assert reader.read(MANUALS / "tb-40-conveyor.md").title == "TB-40 Belt Conveyor Manual"


def test_one_that_takes_too_much_memory_is_refused_and_the_next_is_read(tmp_path: Path) -> None:
    (tmp_path / "large.txt").write_text("x" * 180_000_000)
    with DocumentReader(ReadLimits(memory=300_000_000)) as reader:
        with pytest.raises(DocumentError, match=r"memory|exhausts|could not be read"):
            reader.read(tmp_path / "large.txt")
        assert reader.read(MANUALS / "tb-40-conveyor.md").blocks
