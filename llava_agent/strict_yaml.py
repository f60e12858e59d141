"""YAML into checked objects; an unknown key is an error that names a close match."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError

from llava_agent.errors import ConfigError

T = TypeVar("T")


class YamlError(ConfigError):
    """A YAML text that is wrong at one place.

    Attributes:
        line: of the text, from 1; None where no line can be named.
    """

    def __init__(self, what: str, mend: str = "", line: int | None = None) -> None:
        self.line = line
        super().__init__(what, mend)


def read_yaml(path: Path, kind: Any, **given: object) -> Any:
    """Read one YAML mapping and check it.

    Args:
        path: the file.
        kind: a pydantic model, or an annotated union of models; all forbid extra keys.
        given: keys that come from elsewhere (a preset's name is its file's name) and may not be in the file.

    Raises:
        ConfigError: unreadable, not a mapping, a key twice, unknown, missing or of the wrong kind.
    """
    text = read_text(path)
    data = parse_mapping(text, path)
    if taken := sorted(set(data) & set(given)):
        raise ConfigError(f"{path}: the key {taken[0]!r} may not be set here", f"remove {taken[0]!r}")
    return checked(data | given, kind, path, text)


def checked(data: dict[str, Any], kind: Any, path: Path, text: str = "") -> Any:
    """A mapping as a checked object; ConfigError names `path` and the key that is wrong.

    Args:
        text: what the mapping was read from; with it the error knows the line.
    """
    try:
        return TypeAdapter(kind).validate_python(data)
    except ValidationError as error:
        raise _explain(path, kind, error, text) from error


def read_mapping(path: Path) -> dict[str, Any]:
    """The keys and values of a YAML file, unchecked.

    Raises:
        ConfigError: unreadable, not a mapping, or a key twice.
    """
    return parse_mapping(read_text(path), path)


def read_text(path: Path) -> str:
    """Raises ConfigError where the file cannot be read or is no text."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot read {path} ({error.strerror})", "check the path") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not valid YAML ({error})", "correct the file") from error


def parse_mapping(text: str, path: Path) -> dict[str, Any]:
    """As `read_mapping`, from a text that errors call `path`."""
    import yaml

    try:
        data = yaml.load(text, Loader=_loader())
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        raise YamlError(f"{path} is not valid YAML ({reason})", "correct the file", line) from error
    if not isinstance(data, dict):
        raise ConfigError(f"{path} does not hold a mapping of keys to values", "see the files in configs/")
    return data


def line_of(text: str, where: Sequence[str | int]) -> int | None:
    """The line, from 1, of a key or item of a YAML text; of what is around it where it is missing.

    Args:
        where: keys and positions from the outside in; what is nowhere (the tag of a union) is passed over.
    """
    import yaml

    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return None
    line = None
    for part in where:
        if isinstance(node, yaml.MappingNode):
            found = next((pair for pair in node.value if pair[0].value == str(part)), None)
            if found is not None:
                line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and str(part).isdecimal() and int(part) < len(node.value):
            node = node.value[int(part)]
            line = node.start_mark.line + 1
    return line


def _explain(path: Path, kind: Any, error: ValidationError, text: str) -> ConfigError:
    """The first problem, unknown keys before all others: a misspelt key often looks like a missing one."""
    problems = error.errors(include_url=False)
    first = next((one for one in problems if one["type"] == "extra_forbidden"), problems[0])
    where = [str(part) for part in first["loc"]]
    name = ".".join(part for part in where if part not in _tags(kind))
    line = line_of(text, where)
    if first["type"] != "extra_forbidden":
        said = f"{first['msg'][0].lower()}{first['msg'][1:]}"
        return YamlError(f"{path}: {name or 'the file'}: {said}", "correct it", line)
    known = sorted(_keys_beside(kind, where))
    close = difflib.get_close_matches(where[-1], known, n=1, cutoff=0.6)
    mend = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(known)}"
    return YamlError(f"{path}: the key {name!r} is unknown", mend, line)


def _models(kind: Any) -> list[type[BaseModel]]:
    """The models in an annotation: itself, the members of a union, the items of a list."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [kind]
    return [model for part in get_args(kind) for model in _models(part)]


def _tags(kind: Any) -> set[str]:
    """Values of the fields that tell the members of a union apart; pydantic puts them into locations."""
    fields = (field for model in _models(kind) for field in model.model_fields.values())
    return {value for field in fields for value in get_args(field.annotation) if isinstance(value, str)} & {
        str(model.model_fields["kind"].default) for model in _models(kind) if "kind" in model.model_fields
    }


def _keys_beside(kind: Any, where: list[str]) -> set[str]:
    """Keys that are known at the place of the last part of a location."""
    models = _models(kind)
    tags = _tags(kind)
    for part in where[:-1]:
        if part in tags:
            models = [m for m in models if m.model_fields["kind"].default == part]
        elif any(part in m.model_fields for m in models):  # else an index, or a key of a mapping
            models = [
                inner
                for m in models
                if part in m.model_fields
                for inner in _models(m.model_fields[part].annotation)
            ]
    return {name for model in models for name in model.model_fields if name != "name"}


def _loader() -> Any:
    """A safe loader that refuses a key given twice, which YAML would settle silently for the last one."""
    import yaml

    class Strict(yaml.SafeLoader):
        pass

    def mapping(loader: Any, node: Any) -> dict[object, object]:
        seen = set()
        for key, _ in node.value:
            name = loader.construct_object(key, deep=True)
            if name in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {name!r} is there twice", problem_mark=key.start_mark
                )
            seen.add(name)
        result: dict[object, object] = loader.construct_mapping(node, deep=True)
        return result

    Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    return Strict
