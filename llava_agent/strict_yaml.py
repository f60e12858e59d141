"""YAML into checked objects; an unknown key is an error that names a close match."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError

from llava_agent.errors import ConfigError

T = TypeVar("T")


def read_yaml(path: Path, kind: Any, **given: object) -> Any:
    """Read one YAML mapping and check it.

    Args:
        path: the file.
        kind: a pydantic model, or an annotated union of models; all forbid extra keys.
        given: keys that come from elsewhere (a preset's name is its file's name) and may not be in the file.

    Raises:
        ConfigError: unreadable, not a mapping, a key twice, unknown, missing or of the wrong kind.
    """
    data = read_mapping(path)
    if taken := sorted(set(data) & set(given)):
        raise ConfigError(f"{path}: the key {taken[0]!r} may not be set here", f"remove {taken[0]!r}")
    return checked(data | given, kind, path)


def checked(data: dict[str, Any], kind: Any, path: Path) -> Any:
    """A mapping as a checked object; ConfigError names `path` and the key that is wrong."""
    try:
        return TypeAdapter(kind).validate_python(data)
    except ValidationError as error:
        raise _explain(path, kind, error) from error


def read_mapping(path: Path) -> dict[str, Any]:
    """The keys and values of a YAML file, unchecked.

    Raises:
        ConfigError: unreadable, not a mapping, or a key twice.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot read {path} ({error.strerror})", "check the path") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not valid YAML ({error})", "correct the file") from error
    return parse_mapping(text, path)


def parse_mapping(text: str, path: Path) -> dict[str, Any]:
    """As `read_mapping`, from a text that errors call `path`."""
    import yaml

    try:
        data = yaml.load(text, Loader=_loader())
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"{path} is not valid YAML ({reason})", "correct the file") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{path} does not hold a mapping of keys to values", "see the files in configs/")
    return data


def _explain(path: Path, kind: Any, error: ValidationError) -> ConfigError:
    """The first problem, unknown keys before all others: a misspelt key often looks like a missing one."""
    problems = error.errors(include_url=False)
    first = next((one for one in problems if one["type"] == "extra_forbidden"), problems[0])
    where = [str(part) for part in first["loc"]]
    name = ".".join(part for part in where if part not in _tags(kind))
    if first["type"] != "extra_forbidden":
        return ConfigError(
            f"{path}: {name or 'the file'}: {first['msg'][0].lower()}{first['msg'][1:]}", "correct it"
        )
    known = sorted(_keys_beside(kind, where))
    close = difflib.get_close_matches(where[-1], known, n=1, cutoff=0.6)
    mend = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(known)}"
    return ConfigError(f"{path}: the key {name!r} is unknown", mend)


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
                raise yaml.YAMLError(f"the key {name!r} is there twice, line {key.start_mark.line + 1}")
            seen.add(name)
        result: dict[object, object] = loader.construct_mapping(node, deep=True)
        return result

    Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    return Strict
