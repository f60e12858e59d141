"""Where the attempts are made: it runs them and judges by what the far ends saw."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from llava_agent.errors import LlavaAgentError
from llava_agent.reach.attempt import Attempt
from llava_agent.reach.ends import Ends
from llava_agent.reach.watch import Watch

Act = Callable[[], object]
AsyncAct = Callable[[], Awaitable[object]]

#: A name that no name server knows (RFC 2606); even to ask for it would tell somebody something.
ELSEWHERE = "https://elsewhere.invalid"


@dataclass(frozen=True, slots=True)
class Ground:
    """Attributes:
    ends: the permitted and the forbidden address.
    watch: sees this process's own connections, also to addresses that are neither.
    """

    ends: Ends
    watch: Watch

    def forbidden(self, path: str, tried: str, act: Act, inert: str = "") -> Attempt:
        """An attempt that must reach nothing.

        Args:
            inert: why nothing is asked for, where the act ends without a refusal.
        """
        before = self._began()
        return self._judged(path, tried, before, *_ended(act), inert)

    async def forbidden_too(self, path: str, tried: str, act: AsyncAct, inert: str = "") -> Attempt:
        """The same for coroutines."""
        before = self._began()
        return self._judged(path, tried, before, *await _awaited(act), inert)

    def permitted(self, path: str, tried: str, act: Act, by: str) -> Attempt:
        """A control: the same path reaches what is listed, so that its refusals mean something."""
        asked = self.ends.host.asked
        before = self._began()
        return self._controlled(path, tried, asked, before, *_ended(act), by)

    async def permitted_too(self, path: str, tried: str, act: AsyncAct, by: str) -> Attempt:
        """The same for coroutines."""
        asked = self.ends.host.asked
        before = self._began()
        return self._controlled(path, tried, asked, before, *await _awaited(act), by)

    def _began(self) -> int:
        self.watch.begin()
        return self.ends.trap.count()

    def _strayed(self, before: int) -> str:
        """Where a connection went that nothing permits; empty where none did."""
        reached = self.ends.trap.count() - before
        seen = self.watch.end()
        if reached:
            return f"{self.ends.trap.url} was reached {reached} times"
        strays = [f"{host}:{port}" for host, port in seen if not self._ours(host, port)]
        return f"{', '.join(dict.fromkeys(strays))} was asked for" if strays else ""

    def _ours(self, host: str, port: int) -> bool:
        return host in ("127.0.0.1", "localhost", "::1") and port != self.ends.trap.port

    def _judged(self, path: str, tried: str, before: int, refusal: str, bug: str, inert: str) -> Attempt:
        if strayed := self._strayed(before):
            return Attempt(path, tried, "reached", strayed)
        if refusal or inert:
            return Attempt(path, tried, "refused", refusal or inert)
        return Attempt(path, tried, "not_run", bug or "nothing refused it, and it went nowhere")

    def _controlled(
        self, path: str, tried: str, asked: int, before: int, refusal: str, bug: str, by: str
    ) -> Attempt:
        if strayed := self._strayed(before):
            return Attempt(path, tried, "reached", strayed)
        if self.ends.host.asked > asked and not (refusal or bug):
            return Attempt(path, tried, "allowed", by)
        return Attempt(path, tried, "not_run", refusal or bug or "the permitted server was not reached")


def _ended(act: Act) -> tuple[str, str]:
    """The product's refusal, or what else went wrong."""
    try:
        act()
    except LlavaAgentError as error:
        return f"{type(error).__name__}: {error.what}", ""
    except Exception as error:
        return "", f"{type(error).__name__}: {error}"
    return "", ""


async def _awaited(act: AsyncAct) -> tuple[str, str]:
    try:
        await act()
    except LlavaAgentError as error:
        return f"{type(error).__name__}: {error.what}", ""
    except Exception as error:
        return "", f"{type(error).__name__}: {error}"
    return "", ""
