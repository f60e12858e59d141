"""A surface behind which secrets are: what goes in carries their values, what comes out only their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

from llava_agent.agent.effects import KnowsEffects, submits
from llava_agent.agent.permission import host_of
from llava_agent.agent.secret import Secrets
from llava_agent.errors import PermissionDenied
from tools.action import Action, Effect, Target, effect
from tools.mark import Mark
from tools.observation import Notice, Observation, Outcome, Surface


@runtime_checkable
class Conceals(Protocol):
    """A surface with pixels, which paints over what it is told to conceal."""

    def conceal(self, texts: Sequence[str]) -> None: ...


class Veil:
    """A `Surface` in front of another one."""

    def __init__(self, inner: Surface, secrets: Secrets) -> None:
        self._inner = inner
        self._secrets = secrets
        self._raw: Observation | None = None
        self._refs: dict[str, str] = {}
        if isinstance(inner, Conceals):
            inner.conceal(secrets.values)

    async def observe(self) -> Observation:
        self._raw = raw = await self._inner.observe()
        marks = tuple(self._mark(mark) for mark in raw.marks)
        self._refs = {shown.ref: mark.ref for shown, mark in zip(marks, raw.marks, strict=True)}
        mask = self._secrets.mask
        return replace(
            raw,
            address=mask(raw.address),
            title=mask(raw.title),
            marks=marks,
            notices=self._notices(raw.notices),
        )

    async def act(self, action: Action, observation: Observation) -> Outcome:
        raw = self._raw if self._raw is not None and self._raw.id == observation.id else observation
        try:
            filled = self._secrets.inject(action, host_of(raw.address))
        except PermissionDenied as error:
            return Outcome(False, "denied", str(error))
        outcome = await self._inner.act(self._aimed(filled), raw)
        data = self._secrets.masked(outcome.data)
        return replace(
            outcome,
            detail=self._secrets.mask(outcome.detail),
            notices=self._notices(outcome.notices),
            data=data if isinstance(data, dict) else {},
        )

    async def value(self, ref: str) -> str | None:
        value = await self._inner.value(self._refs.get(ref, ref))
        return None if value is None else self._secrets.mask(value)

    def effect(self, action: Action, observation: Observation) -> Effect:
        if isinstance(self._inner, KnowsEffects):
            return self._inner.effect(self._aimed(action), self._raw or observation)
        return effect(action, submits=submits(action, observation))

    def ended(self) -> str | None:
        ended = getattr(self._inner, "ended", None)
        said = ended() if ended else None
        return None if said is None else self._secrets.mask(str(said))

    async def close(self) -> None:
        await self._inner.close()

    def _mark(self, mark: Mark) -> Mark:
        mask = self._secrets.mask
        value = None if mark.value is None else mask(mark.value)
        return replace(mark, ref=mask(mark.ref), text=mask(mark.text), value=value)

    def _notices(self, notices: Sequence[Notice]) -> tuple[Notice, ...]:
        return tuple(replace(notice, text=self._secrets.mask(notice.text)) for notice in notices)

    def _aimed(self, action: Action) -> Action:
        """The action with the refs that the inner surface knows."""
        changed = {}
        for name in ("target", "to"):
            target = getattr(action, name, None)
            if isinstance(target, Target) and target.ref in self._refs:
                changed[name] = Target(ref=self._refs[target.ref])
        return action.model_copy(update=changed) if changed else action
