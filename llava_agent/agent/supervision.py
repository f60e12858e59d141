"""Under what a run works: who steers it, who answers, what is permitted, which tools it may call."""

from __future__ import annotations

from dataclasses import dataclass, field

from llava_agent.agent.attendant import Attendant, Nobody
from llava_agent.agent.control import Control
from llava_agent.agent.permission import Permission
from llava_agent.agent.secret import Secrets
from llava_agent.egress.reach import ANYWHERE, Reach
from tools.tool import Toolbox


@dataclass(frozen=True, slots=True)
class Supervision:
    """What surrounds a run, beside its task.

    Attributes:
        permission: the policy; the shipped one where none is given.
        attendant: answers and approves; `control` does where none is given, and nobody without either.
        control: pauses and stops the run from another task or thread.
        tools: what the action `tool` may call.
        secrets: what `{{secret:NAME}}` stands for.
        reach: which addresses the page's own host may lead to.
    """

    permission: Permission = field(default_factory=Permission.read)
    attendant: Attendant | None = None
    control: Control | None = None
    tools: Toolbox = field(default_factory=Toolbox)
    secrets: Secrets = field(default_factory=Secrets)
    reach: Reach = ANYWHERE

    @property
    def asks(self) -> Attendant:
        return self.attendant or self.control or Nobody()
