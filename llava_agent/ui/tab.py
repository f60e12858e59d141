"""A desk of the page: its tab, who sees it, and what it is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from llava_agent.service.auth.rights import Permission

if TYPE_CHECKING:
    from llava_agent.service.auth.identity import Identity
    from llava_agent.service.context import Service


@dataclass(frozen=True, slots=True)
class Tab:
    """One desk. Its module names it `TAB` and stands in `page.DESKS`.

    Attributes:
        id: of the tab, and in the address that opens it: `/?desk=agent`.
        needs: whoever holds one of these sees the tab. What is done there asks for its own right again.
        build: builds the desk inside the Blocks that are open.
        style, script: files beside the desk; None where it has none.
    """

    id: str
    title: str
    needs: tuple[Permission, ...]
    build: Callable[[Service], None]
    style: Path | None = None
    script: Path | None = None

    def shown_to(self, identity: Identity) -> bool:
        return any(identity.may(permission) for permission in self.needs)
