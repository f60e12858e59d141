"""Values by JSON schema: text that a model typed becomes a number, a truth value, a list, or is refused.

Only what an argument form needs of JSON Schema is here: types, enum, const, bounds, lengths, a few formats,
nullable forms of both OpenAPI versions, and lists of scalars. Patterns are left to the server: they are
regular expressions that others wrote, and some take for ever. Schemas are expected with their
references resolved (see `tools.api.operation`).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from uuid import UUID

Schema = Mapping[str, object]

_TRUE = {"true", "yes", "on", "1"}
_FALSE = {"false", "no", "off", "0"}
_INTEGER = re.compile(r"[+-]?[0-9]{1,100}")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")


class Refused(ValueError):
    """A value that the schema does not permit; the text is one clause without the argument's name."""


def coerce(value: object, schema: Schema) -> object:
    """`value` (a string that was typed, or a JSON value) as the JSON value that `schema` permits.

    Raises:
        Refused: it is not one.
    """
    options = alternatives(schema)
    return _one(value, options[0]) if len(options) == 1 else _first(value, options)


def alternatives(schema: Schema) -> list[Schema]:
    """The plain schemas that `schema` offers, `null` left out: `anyOf`, `oneOf`, and lists of types."""
    return [option for option in _unfolded(schema) if option.get("type") != "null"] or [{}]


def _unfolded(schema: Schema) -> Iterator[Schema]:
    branches = schema.get("anyOf") or schema.get("oneOf")
    if isinstance(branches, list):
        rest = {key: part for key, part in schema.items() if key not in ("anyOf", "oneOf")}
        for branch in branches:
            if isinstance(branch, Mapping):
                yield from _unfolded({**rest, **branch})
        return
    kinds = schema.get("type")
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        yield {**schema, "type": kind} if kind is not None else schema


def choices(schema: Schema) -> tuple[str, ...]:
    """The labels of a closed list of values: an enum, or `true` and `false`; empty where it is open."""
    options = alternatives(schema)
    labels: list[str] = []
    for option in options:
        values = option.get("enum")
        if isinstance(values, list):
            labels += [shown(value) for value in values if value is not None]
        elif "const" in option:
            labels.append(shown(option["const"]))
        elif option.get("type") == "boolean":
            labels += ["true", "false"]
        else:
            return ()
    return tuple(dict.fromkeys(labels))


def shown(value: object) -> str:
    """A JSON value as a person reads it: strings as they are, the rest as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _first(value: object, options: list[Schema]) -> object:
    """The value by the first alternative that takes it; text last, as it takes everything."""
    complaints = []
    for option in sorted(options, key=lambda option: option.get("type") == "string"):
        try:
            return _one(value, option)
        except Refused as refusal:
            complaints.append(str(refusal))
    raise Refused(" or ".join(dict.fromkeys(complaints)))


def _one(value: object, schema: Schema) -> object:
    listed = schema.get("enum")
    if listed is None and "const" in schema:
        listed = [schema["const"]]
    if isinstance(listed, list):
        return _listed(value, listed)
    convert = _KINDS.get(str(schema.get("type")))
    return convert(value, schema) if convert else value


def _listed(value: object, listed: list) -> object:
    label = shown(value).strip()
    exact = [item for item in listed if shown(item) == label]
    near = exact or [item for item in listed if shown(item).casefold() == label.casefold()]
    if not near:
        raise Refused(f"must be one of {', '.join(shown(item) for item in listed)}")
    return near[0]


def _string(value: object, schema: Schema) -> str:
    if not isinstance(value, str):
        raise Refused("must be a text")
    shortest, longest = schema.get("minLength"), schema.get("maxLength")
    if isinstance(shortest, int) and len(value) < shortest:
        raise Refused(f"must have at least {shortest} characters" if value else "must not be empty")
    if isinstance(longest, int) and len(value) > longest:
        raise Refused(f"must have at most {longest} characters")
    check = _FORMATS.get(str(schema.get("format")))
    if check:
        try:
            check(value)
        except ValueError:
            raise Refused(f"must be a {schema['format']}") from None
    return value


def _integer(value: object, schema: Schema) -> int:
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refused("must be a whole number")
    _bounded(value, schema)
    return value


def _number(value: object, schema: Schema) -> int | float:
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        text = value.strip()
        value = int(text) if _INTEGER.fullmatch(text) else float(text)
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise Refused("must be a number")
    _bounded(value, schema)
    return value


def _bounded(value: int | float, schema: Schema) -> None:
    low, high = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    # 3.0 writes `exclusiveMinimum: true` beside `minimum`; 3.1 gives the bound itself.
    above, low = (low, None) if above is True else (above, low)
    below, high = (high, None) if below is True else (below, high)
    if _is_number(low) and value < low:  # type: ignore[operator]
        raise Refused(f"must be at least {low}")
    if _is_number(high) and value > high:  # type: ignore[operator]
        raise Refused(f"must be at most {high}")
    if _is_number(above) and value <= above:  # type: ignore[operator]
        raise Refused(f"must be more than {above}")
    if _is_number(below) and value >= below:  # type: ignore[operator]
        raise Refused(f"must be less than {below}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _boolean(value: object, _schema: Schema) -> bool:
    if isinstance(value, bool):
        return value
    word = value.strip().casefold() if isinstance(value, str) else ""
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise Refused("must be true or false")


def _array(value: object, schema: Schema) -> list:
    items = schema.get("items")
    each = items if isinstance(items, Mapping) else {}
    if isinstance(value, str):
        value = _json(value) if value.strip().startswith("[") else _separated(value)
    if not isinstance(value, list):
        raise Refused("must be a list")
    fewest, most = schema.get("minItems"), schema.get("maxItems")
    if isinstance(fewest, int) and len(value) < fewest:
        raise Refused(f"must have at least {fewest} entries")
    if isinstance(most, int) and len(value) > most:
        raise Refused(f"must have at most {most} entries")
    return [coerce(item, each) for item in value]


def _object(value: object, _schema: Schema) -> dict:
    if isinstance(value, str):
        value = _json(value)
    if not isinstance(value, dict):
        raise Refused("must be a JSON object")
    return value


def _separated(text: str) -> list[object]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Refused("must be valid JSON") from None


_KINDS: dict[str, Callable[[object, Schema], object]] = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "array": _array,
    "object": _object,
}
_FORMATS: dict[str, Callable[[str], object]] = {
    "date": date.fromisoformat,
    "date-time": datetime.fromisoformat,
    "uuid": UUID,
}
