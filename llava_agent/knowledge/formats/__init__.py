"""Readers, one module a format; each gives a `Document` or raises DocumentError."""

from __future__ import annotations

from pathlib import Path

from llava_agent.knowledge.block import Document
from llava_agent.knowledge.errors import DocumentError
from llava_agent.knowledge.limits import ReadLimits

IMAGES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".heic"})
#: Endings that `knowledge add FOLDER` takes.
KNOWN = frozenset({".pdf", ".docx", ".md", ".markdown", ".html", ".htm", ".txt", ".text"}) | IMAGES


def read_document(path: Path, limits: ReadLimits) -> Document:
    """Read a file by its ending.

    Raises:
        DocumentError: one sentence that says what is wrong with it.
    """
    ending = path.suffix.lower()
    if ending not in KNOWN:
        raise DocumentError(
            f"{path.name} is of no known format", f"known endings: {', '.join(sorted(KNOWN))}"
        )
    size = _size(path)
    if size == 0:
        raise DocumentError(f"{path.name} is empty (0 bytes)", "export or copy it again")
    if size > limits.bytes:
        raise DocumentError(
            f"{path.name} has {size / 1e6:.0f} MB, above the limit of {limits.bytes / 1e6:.0f} MB",
            "divide it first",
        )
    document = _read(path, ending, limits)
    length = sum(len(block.text) for block in document.blocks)
    if length > limits.characters:
        raise DocumentError(f"{path.name} holds {length} characters, above the limit", "divide it first")
    if not any(block.text.strip() for block in document.blocks):
        raise DocumentError(f"{path.name} holds no text", "if it is a scan, check that it can be read")
    return document


def _read(path: Path, ending: str, limits: ReadLimits) -> Document:
    if ending == ".pdf":
        from llava_agent.knowledge.formats.pdf import read_pdf

        return read_pdf(path, limits)
    if ending == ".docx":
        from llava_agent.knowledge.formats.docx import read_docx

        return read_docx(path, limits)
    if ending in IMAGES:
        from llava_agent.knowledge.formats.picture import read_picture

        return read_picture(path)
    from llava_agent.knowledge.formats.plain import decoded, read_text

    text = decoded(path)
    if ending in (".md", ".markdown"):
        from llava_agent.knowledge.formats.markdown import read_markdown

        return read_markdown(text)
    if ending in (".html", ".htm"):
        from llava_agent.knowledge.formats.html import read_html

        return read_html(text)
    return read_text(text)


def _size(path: Path) -> int:
    try:
        if not path.is_file():
            raise DocumentError(f"there is no file {path}", "check the path")
        return path.stat().st_size
    except OSError as error:
        raise DocumentError(
            f"{path.name} cannot be read ({error.strerror})", "check its permissions"
        ) from error
