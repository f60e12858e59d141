"""An inspection as JSON, read strictly: what a record holds and what a person sends back after editing."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from llava_agent.errors import ConfigError

_Text = str
Pixels = tuple[int, int, int, int]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EvidenceDocument(_Part):
    """A region of a photo. A person who adds a line may leave the box out: the source then is `person`."""

    photo: str = Field(max_length=64)
    box: Pixels | None = None
    text: str = Field(default="", max_length=500)
    source: Literal["ocr", "dial", "pixels", "model", "person"]


class LineDocument(_Part):
    """A line of the table; see `finding.Line`. `edited` says that a person changed the value."""

    kind: Literal["plate", "gauge", "display", "lamp", "other", "note"]
    key: str = Field(max_length=100)
    name: str = Field(min_length=1, max_length=100)
    value: str = Field(max_length=500)
    number: float | None = None
    unit: str = Field(default="", max_length=20)
    confidence: float = Field(ge=0, le=1)
    evidence: tuple[EvidenceDocument, ...] = ()
    edited: bool = False


class FaultDocument(_Part):
    kind: str = Field(max_length=40)
    level: Literal["fault", "watch"]
    what: str = Field(max_length=500)
    because: str = Field(max_length=1000)
    confidence: float = Field(ge=0, le=1)
    evidence: tuple[EvidenceDocument, ...]


class CitationDocument(_Part):
    source: str
    page: int | None = None
    quote: str
    passage: str = ""

    @property
    def place(self) -> str:
        """For a person: `pump.pdf, page 3`."""
        return self.source if self.page is None else f"{self.source}, page {self.page}"


class StepDocument(_Part):
    do: str
    why: str
    citations: tuple[CitationDocument, ...] = ()


class MissingDocument(_Part):
    what: str
    ask: str
    evidence: tuple[EvidenceDocument, ...] = ()


class WordDocument(_Part):
    text: str = Field(max_length=500)
    evidence: EvidenceDocument


class PhotoDocument(_Part):
    sha256: str
    name: str
    width: int
    height: int
    quality: dict[str, Any]


class InspectionDocument(_Part):
    """`Inspection.as_dict()`, perhaps with lines that a person edited."""

    asset: str = Field(default="", max_length=100)
    photos: tuple[PhotoDocument, ...]
    lines: tuple[LineDocument, ...] = Field(max_length=500)
    faults: tuple[FaultDocument, ...] = ()
    steps: tuple[StepDocument, ...] = ()
    missing: tuple[MissingDocument, ...] = ()
    words: tuple[WordDocument, ...] = Field(default=(), max_length=500)
    ms: dict[str, float] = {}


def read_document(content: str | bytes | dict[str, Any]) -> InspectionDocument:
    """Read the JSON of an inspection.

    Raises:
        ConfigError: it is none; names the first field that does not fit.
    """
    try:
        if isinstance(content, dict):
            return InspectionDocument.model_validate(content)
        return InspectionDocument.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise ConfigError(
            f"this is no inspection ({where}: {first['msg']})",
            "give the JSON of `llava-agent inspect --json`",
        ) from None
