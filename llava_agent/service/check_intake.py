"""A spec and its pictures as somebody sends them: checked before anything is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from llava_agent.checks.confine import confined, plain_name
from llava_agent.checks.spec import Spec, parse_spec
from llava_agent.errors import ConfigError, ImageError
from llava_agent.inspection.intake import take_in
from llava_agent.service.errors import BadRequest
from llava_agent.service.store.artifacts import Artifact
from llava_agent.service.store.checks import PICTURE
from llava_agent.strict_yaml import YamlError

if TYPE_CHECKING:
    from llava_agent.gateway.principal import Principal
    from llava_agent.service.desk import Desk

#: Characters of a spec, and pictures that may come with it.
MOST_TEXT, MOST_PICTURES = 200_000, 20
_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".heic")


def read_spec_text(text: str) -> Spec:
    """The spec in a text that was sent.

    Raises:
        BadRequest: it is none; its `line` says where.
    """
    if len(text) > MOST_TEXT:
        raise BadRequest(f"the spec has more than {MOST_TEXT} characters", "make several of it", "text")
    try:
        return parse_spec(text)
    except ConfigError as error:
        line = error.line if isinstance(error, YamlError) else 1
        raise BadRequest(error.what, error.mend, "text", line) from error


def taken(
    desk: Desk, who: Principal, text: str, pictures: Mapping[str, bytes], check: str = ""
) -> tuple[Spec, dict[str, Artifact]]:
    """The spec and its pictures, stored as files that nobody holds yet.

    Args:
        pictures: content by file name.
        check: id of the check that this changes, whose pictures are there already; empty for a new one.

    Raises:
        BadRequest: the text is no spec, or a picture has no plain name.
        ConfigError, PermissionDenied: the spec names what it may not (`confined`).
        ImageError: a picture is none.
    """
    there = desk.checks.files(who, check, PICTURE) if check else {}
    if len({*there, *pictures}) > MOST_PICTURES:
        raise BadRequest(f"there are more than {MOST_PICTURES} pictures", "make several checks", "pictures")
    for name in pictures:
        if not plain_name(name) or PurePosixPath(name).suffix.lower() not in _PICTURES:
            raise BadRequest(
                "a picture needs a plain name that ends with .png, .jpg or .webp", "rename it", "pictures"
            )
    spec = confined(read_spec_text(text), {*there, *pictures}, desk.reach)
    stored = {}
    for name, content in pictures.items():
        try:
            image = take_in(content)
        except ImageError as error:
            raise ImageError(f"the picture {name} cannot be used ({error.what})", error.mend) from error
        stored[name] = desk.artifacts.write(who.tenant, image.content, image.media_type)
    return spec, stored


def own_names(names: Sequence[str | None]) -> list[str]:
    """The last parts of the names that a browser sent.

    Raises:
        ConfigError: two files have the same.
    """
    found = [PurePosixPath((name or "").replace("\\", "/")).name for name in names]
    if len(set(found)) < len(found):
        raise ConfigError("two pictures have the same name", "rename one of them")
    return found
