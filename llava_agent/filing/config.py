"""Where records are filed, and which of their fields goes where: one strict YAML file a destination."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    field_validator,
    model_validator,
)

from llava_agent.errors import ConfigError
from llava_agent.filing.material import check_source
from llava_agent.gateway.principal import Role
from llava_agent.strict_yaml import read_yaml

_NAME = r"^[a-z][a-z0-9_-]{0,39}$"
_PLACE = re.compile(r"\{([^{}]*)\}")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


class FieldRule(_Strict):
    """Where a field's value comes from; exactly one of `take`, `text` and `value` is given.

    Attributes:
        take: sources (`plate.serial_number`); the first that the record has is taken.
        text: words with sources in braces.
        value: the same for every record.
        unit: a quantity is converted to it and sent as a number.
        map: what is sent in place of a source's value.
        otherwise: what is sent where the record has nothing.
        required: a record without a value cannot be filed.
    """

    take: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()
    text: str = Field(default="", max_length=2000)
    value: JsonValue = None
    unit: str = Field(default="", max_length=20)
    map: dict[str, JsonValue] = {}
    otherwise: JsonValue = None
    required: bool = True

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if sum((bool(self.take), bool(self.text), self.value is not None)) != 1:
            raise ValueError("give exactly one of take, text and value")
        for source in self.sources:
            check_source(source)
        return self

    @property
    def sources(self) -> tuple[str, ...]:
        """Every source that it names."""
        return (*self.take, *_PLACE.findall(self.text))


def _rule(value: object) -> object:
    """`serial_number: plate.serial_number` is short for `{take: plate.serial_number}`."""
    return {"take": value} if isinstance(value, str | list) else value


Fields = dict[str, Annotated[FieldRule, BeforeValidator(_rule)]]


class ReadBack(_Strict):
    """The operation that gives what was filed.

    Attributes:
        arguments: by name; `{id}` stands for a value of the answer to the filing, by its path.
        without: fields that the other system takes and does not show.
    """

    operation: str = Field(min_length=1)
    arguments: dict[str, str] = {}
    without: tuple[str, ...] = ()


class ApiLookUp(_Strict):
    """The operation that lists what might be this record, where nobody knows whether it arrived.

    Attributes:
        arguments: by name; `{serial_number}` is a field as it was sent, `{record}` the record's id.
        items: path of the list in the answer; empty where the answer is the list.
    """

    operation: str = Field(min_length=1)
    arguments: dict[str, str] = {}
    items: str = ""


class ApiTarget(_Strict):
    """An operation of an API with an OpenAPI document.

    Attributes:
        document: URL, or a file beside this one.
        base_url: of the API, where the document does not say it.
        headers_env: headers with values from environment variables (`Authorization: TICKETS_TOKEN`).
        once_header: header that carries the record's id, so that the other system knows a repeated call.
        reference: path of the new entry's number in the answer.
        link: for people; `{id}` stands for a value of the answer.
        seconds: longest wait for an answer.
    """

    kind: Literal["api"] = "api"
    document: str = Field(min_length=1)
    operation: str = Field(min_length=1)
    base_url: str = ""
    headers_env: dict[str, str] = {}
    once_header: str = ""
    reference: str = "id"
    link: str = ""
    read_back: ReadBack | None = None
    look_up: ApiLookUp | None = None
    seconds: float = Field(default=30.0, gt=0, le=300)

    @property
    def home(self) -> str:
        """The address that a policy judges."""
        return self.base_url or self.document

    def headers(self) -> dict[str, str]:
        """Raises ConfigError where a variable is not set."""
        for variable in self.headers_env.values():
            if variable not in os.environ:
                raise ConfigError(
                    f"the environment variable {variable} is not set", "set it for the process that files"
                )
        return {name: os.environ[variable] for name, variable in self.headers_env.items()}


class FormLookUp(_Strict):
    """A page that shows whether the record is there; `{record}` stands for its id, other names for fields."""

    address: str = Field(pattern=r"^https?://")
    shows: str = Field(min_length=1)

    @model_validator(mode="after")
    def _says_more(self) -> Self:
        """`Nothing was found for X` shows X as well."""
        if set(_PLACE.findall(self.shows)) <= set(_PLACE.findall(self.address)):
            raise ValueError("shows must name a field that the address does not: pages repeat a search")
        return self


class FormTarget(_Strict):
    """A form on a web page, filled in by its labels.

    Attributes:
        submit: words of the button that sends it.
        expect_text, expect_address: what the page shows, or its address contains, once it was taken.
        read_back: what the page after that calls a field; what it shows must equal what was sent.
    """

    kind: Literal["form"] = "form"
    address: str = Field(pattern=r"^https?://")
    submit: str = Field(min_length=1)
    expect_text: str = ""
    expect_address: str = ""
    read_back: dict[str, str] = {}
    look_up: FormLookUp | None = None
    seconds: float = Field(default=180.0, gt=0, le=600)

    @model_validator(mode="after")
    def _checkable(self) -> Self:
        if not (self.expect_text or self.expect_address):
            raise ValueError("give expect_text or expect_address, else nothing tells whether it was taken")
        return self

    @property
    def home(self) -> str:
        return self.address


class ApprovalTerms(_Strict):
    """How an approval is given, where the policy asks for one."""

    role: Role = "approver"
    minutes: float = Field(default=480.0, gt=0, le=14 * 24 * 60)


class FilingConfig(_Strict):
    """One destination.

    Attributes:
        name: what `--to` and policies (`file.NAME`) call it.
        title: for people.
        permissions: what may be done without asking, as for the agent; the shipped policy if empty.
    """

    name: str = Field(pattern=_NAME)
    title: str = Field(min_length=1, max_length=80)
    to: Annotated[ApiTarget | FormTarget, Field(discriminator="kind")]
    fields: Fields = Field(min_length=1)
    permissions: str = ""
    approval: ApprovalTerms = ApprovalTerms()

    @field_validator("fields")
    @classmethod
    def _something(cls, value: Fields) -> Fields:
        if not any(rule.sources for rule in value.values()):
            raise ValueError("no field takes anything of the record")
        return value

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        """A look-up that finds an equal record of last week would take it for this one."""
        if self.to.look_up is not None and not any("record" in one.sources for one in self.fields.values()):
            raise ValueError('to look up a record, some field must carry its id: text: "... {record}"')
        sent = set(self.fields)
        named = (set(_places(self.to)) - {"record"}) | set(
            self.to.read_back if isinstance(self.to, FormTarget) else ()
        )
        if isinstance(self.to, ApiTarget) and self.to.read_back:
            named |= set(self.to.read_back.without)
        if unknown := sorted(named - sent):
            raise ValueError(f"{unknown[0]!r} is no field that is sent")
        return self


def _places(to: ApiTarget | FormTarget) -> list[str]:
    if to.look_up is None:
        return []
    if isinstance(to.look_up, ApiLookUp):
        return [name for text in to.look_up.arguments.values() for name in _PLACE.findall(text)]
    return [*_PLACE.findall(to.look_up.address), *_PLACE.findall(to.look_up.shows)]


def filled(text: str, given: Any) -> str:
    """`text` with the names in braces replaced by what `given` says of them."""
    return _PLACE.sub(lambda found: str(given(found[1])), text)


def read_filing(path: Path) -> FilingConfig:
    """A destination from its file.

    Raises:
        ConfigError: unreadable, an unknown key or source, or a bad value.
    """
    config: FilingConfig = read_yaml(path, FilingConfig)
    return config
