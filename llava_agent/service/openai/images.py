"""Images out of `data:` URLs. Other addresses are fetched only where the policy lists their servers: else a
request would make this server its tool."""

from __future__ import annotations

import base64
import binascii
import re

from llava_agent.service.errors import BadRequest
from llava_agent.service.openai.remote import Remote
from tools.photo import Photo, load_image

_REMOTE = re.compile(r"https?://", re.IGNORECASE)
_DATA = re.compile(r"data:image/[a-z0-9.+-]{1,40};base64,", re.IGNORECASE)


def is_data_url(text: str) -> bool:
    return _DATA.match(text) is not None


def is_remote(text: str) -> bool:
    """Whether the text is an address that could be fetched."""
    return _REMOTE.match(text) is not None


def photo_of(url: str, param: str, remote: Remote | None = None) -> Photo:
    """The image of an address, upright.

    Args:
        param: where it stands in the request.
        remote: fetches what is no `data:` URL; None for nothing.

    Raises:
        BadRequest: an address that may not or cannot be fetched, or damaged base64.
        ImageError: the bytes are no image, or too large a one.
    """
    found = _DATA.match(url)
    if found is None and remote is not None and is_remote(url):
        return remote.photo(url, param)
    if found is None:
        raise BadRequest(
            f"{param}: images are taken as data: URLs only, nothing is fetched",
            "send data:image/jpeg;base64,...",
            param,
        )
    try:
        content = base64.b64decode(url[found.end() :], validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequest(
            f"{param}: the image is not valid base64", "encode the file as it is", param
        ) from error
    return load_image(content)
