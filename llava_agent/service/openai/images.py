"""Images out of `data:` URLs. Nothing is fetched: an address in a request would make this server its tool."""

from __future__ import annotations

import base64
import binascii
import re

from llava_agent.service.errors import BadRequest
from tools.photo import Photo, load_image

_DATA = re.compile(r"data:image/[a-z0-9.+-]{1,40};base64,", re.IGNORECASE)


def is_data_url(text: str) -> bool:
    return _DATA.match(text) is not None


def photo_of(url: str, param: str) -> Photo:
    """The image of a `data:` URL, upright.

    Args:
        param: where it stands in the request.

    Raises:
        BadRequest: another kind of address, or damaged base64.
        ImageError: the bytes are no image, or too large a one.
    """
    found = _DATA.match(url)
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
