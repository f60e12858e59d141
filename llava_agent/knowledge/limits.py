"""How much of a document is read before it is refused."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """Bounds that no manual reaches and that a document made to exhaust the machine does.

    Attributes:
        bytes: of the file.
        pages: of a PDF.
        unpacked: bytes of a DOCX's parts once unpacked.
        ratio: unpacked to packed size of a DOCX.
        characters: of the text that comes out.
        pictures: images of a document that are read by OCR.
        seconds: for one document, everything included.
        memory: bytes that the process which reads may use.
    """

    bytes: int = 200_000_000
    pages: int = 3_000
    unpacked: int = 300_000_000
    ratio: int = 200
    characters: int = 20_000_000
    pictures: int = 300
    seconds: float = 300.0
    memory: int = 4_000_000_000
