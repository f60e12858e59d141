"""Images at addresses, where the policy lists their servers. Nobody else is asked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from llava_agent.assembly import Core
from llava_agent.egress import AllowList, Limits, Origin, fetch
from llava_agent.errors import PermissionDenied, ToolError
from llava_agent.gateway import closed
from llava_agent.gateway.principal import Principal
from llava_agent.service.errors import BadRequest
from tools.photo import Photo, load_image


@dataclass(frozen=True, slots=True)
class Remote:
    """Fetches the images of one request.

    Attributes:
        core: gives the policy in force.
        principal: on whose behalf.
    """

    core: Callable[[], Core]
    principal: Principal

    def photo(self, url: str, param: str) -> Photo:
        """The image at an address: its pixels alone, without metadata or further frames.

        Args:
            param: where it stands in the request.

        Raises:
            BadRequest: it may not be fetched, or cannot be. The sentence repeats nothing of the address.
            ImageError: it is no image, or too large a one.
            ToolError: the audit log cannot be written; then nothing is fetched.
        """
        gateway = self.core().gateway
        settings = gateway.policy.image_urls
        if not settings.origins:
            raise BadRequest(
                f"{param}: images are taken as data: URLs only, nothing is fetched",
                "send data:image/jpeg;base64,...",
                param,
            )
        allow = AllowList.of(*settings.origins)
        limits = Limits(
            bytes=int(settings.megabytes * 2**20), seconds=settings.seconds, redirects=0, public_only=True
        )
        if not allow.permits(url):
            raise _refused(param)
        audit = gateway.safeguards.audit if gateway.policy.audit else None
        sequence = closed.intend(audit, self._record(url)) if audit else None
        content, outcome = b"", "error"
        try:
            content = fetch(url, allow, limits)
            outcome = "ok"
        except PermissionDenied as error:
            raise _refused(param) from error
        except ToolError as error:
            raise BadRequest(
                f"{param}: the image could not be fetched",
                "check that its server answers at once, and how large it is",
                param,
            ) from error
        finally:
            if audit and sequence is not None:
                closed.conclude(audit, sequence, {"outcome": outcome, "bytes": len(content)})
        return _pixels_of(load_image(content, max_pixels=int(settings.megapixels * 1_000_000)))

    def _record(self, url: str) -> dict[str, object]:
        return {
            "kind": "image fetched",
            "user": self.principal.user,
            "key": self.principal.key,
            "tenant": self.principal.tenant,
            "server": str(Origin.of(url)),
            "address_sha256": hashlib.sha256(url.encode()).hexdigest(),
        }


def _refused(param: str) -> BadRequest:
    return BadRequest(
        f"{param}: the image may not be fetched from there",
        "use one of the servers of the policy's image_urls, at a public address and without a redirect",
        param,
    )


def _pixels_of(photo: Photo) -> Photo:
    """The same picture in an image that carries nothing else of the file."""
    from PIL import Image

    image = Image.frombytes(photo.image.mode, photo.image.size, photo.image.tobytes())
    return Photo(image, photo.sha256, photo.original_size, photo.format, photo.notes)
