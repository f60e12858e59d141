"""A JSON schema about images: each field is a question, read from the image with its own evidence.

A field is asked by its `description`, else by its name. What the image does not show is null where the schema
permits that and left out where it may be; else the answer is a refusal that says which field is missing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llava_agent.agent.perceive import question as asked
from llava_agent.gateway.request import Usage
from llava_agent.service.errors import BadRequest
from llava_agent.service.openai.look import Looker
from llava_agent.service.openai.reply import Reply, Shown, added
from tools.photo import Photo

MOST_FIELDS = 40
_NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)?")
_KINDS = ("string", "number", "integer", "boolean")
_PARAM = "response_format.json_schema.schema"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the form.

    Attributes:
        kind: of its value.
        nullable, required: what may be done where the image does not show it.
        options: the values that are permitted; none for any.
    """

    name: str
    question: str
    kind: str
    nullable: bool
    required: bool
    options: tuple[str, ...] = ()


def fields_of(schema: Mapping[str, Any]) -> tuple[Field, ...]:
    """The fields of a flat object schema.

    Raises:
        BadRequest: another schema, which cannot be read off an image field by field.
    """
    properties = schema.get("properties")
    if schema.get("type") != "object" or not isinstance(properties, dict) or not properties:
        raise BadRequest(
            "about an image, a JSON schema must be an object with properties",
            "give one field a property",
            _PARAM,
        )
    if len(properties) > MOST_FIELDS:
        raise BadRequest(f"about an image, a schema may have {MOST_FIELDS} fields", "ask in parts", _PARAM)
    required = schema.get("required", [])
    return tuple(_field(name, form, name in required) for name, form in properties.items())


def extract(looker: Looker, photos: tuple[Photo, ...], fields: tuple[Field, ...]) -> Reply:
    """Ask each field of each image and put the values together."""
    values: dict[str, object] = {}
    shown: list[Shown] = []
    usages: list[Usage] = []
    missing: list[str] = []
    least = 1.0
    for field in fields:
        seen = looker.look(photos, field.question)
        usages += [one.usage for one in seen.all]
        value = value_of(field, seen.answer.answer) if seen.answer.visible else None
        if value is not None or field.nullable:
            values[field.name] = value
        elif field.required:
            missing.append(field.name)
        if value is not None:
            shown += seen.shown(field.name)
            least = min(least, seen.answer.confidence)
    refusal = f"not visible in the image: {', '.join(missing)}" if missing else None
    text = None if missing else json.dumps(values, ensure_ascii=False)
    return Reply(
        text,
        added(usages),
        looker.route(),
        evidence=tuple(shown),
        confidence=least if shown else 0.0,
        refusal=refusal,
    )


def value_of(field: Field, answer: str) -> object | None:
    """The value in the words of an answer; None where they hold none of the field's kind."""
    if field.options:
        found = [one for one in field.options if one.casefold() == answer.strip().casefold()]
        return found[0] if found else None
    if field.kind == "string":
        return answer
    if field.kind == "boolean":
        return {"yes": True, "no": False}.get(answer.strip().casefold())
    number = _NUMBER.search(answer)
    if number is None:
        return None
    value = float(number[0].replace(",", "."))
    if field.kind == "number":
        return value
    return int(value) if value.is_integer() else None


def _field(name: str, form: Any, required: bool) -> Field:
    kinds = form.get("type") if isinstance(form, dict) else None
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds is None and isinstance(form, dict) and isinstance(form.get("enum"), list):
        kinds = ["string"]
    plain = [kind for kind in kinds or [] if kind != "null"]
    if len(plain) != 1 or plain[0] not in _KINDS:
        raise BadRequest(
            f"about an image, the field {name[:60]!r} must be a string, number, integer or boolean",
            "ask for nested data in parts",
            _PARAM,
        )
    options = tuple(one for one in form.get("enum", ()) if isinstance(one, str))
    words = form.get("description") or name.replace("_", " ").replace("-", " ")
    return Field(name, asked(str(words)), plain[0], "null" in (kinds or []), required, options)
