"""Where an address may lead: for pages that somebody else names, the public network alone.

An `AllowList` says which origins may be spoken to, by their names. On a server whoever names the origin must
not thereby look into the network that the server stands in (server-side request forgery): a name is then
resolved once, every address that it leads to has to be public, and the connection goes to the very address
that was seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from llava_agent.egress.allow import AllowList, Origin, is_public
from llava_agent.errors import PermissionDenied


@dataclass(frozen=True, slots=True)
class Reach:
    """Which addresses an allowed origin may lead to.

    Attributes:
        public_only: no address of this machine or of a private network.
        besides: origins that may lead anywhere all the same.
    """

    public_only: bool = False
    besides: AllowList = field(default_factory=AllowList)

    def check(self, origin: Origin, address: str) -> None:
        """Raises PermissionDenied where the origin may not lead to this IP address."""
        if self.public_only and origin not in self.besides.origins and not is_public(address):
            # Which address it is would tell of the network behind.
            raise PermissionDenied(
                f"{origin} leads into a network that is not public",
                "ask whoever runs the server to permit it (--private-host)",
            )

    def check_literal(self, url: str) -> None:
        """As `check`, as far as the URL says it itself; names are looked up only where they are opened.

        Raises:
            ConfigError: no such URL.
            PermissionDenied: it names an address that is not public.
        """
        origin = Origin.of(url)
        address = "127.0.0.1" if origin.host == "localhost" else origin.address
        if address is not None:
            self.check(origin, str(address))


#: What a person at this machine may open.
ANYWHERE = Reach()
