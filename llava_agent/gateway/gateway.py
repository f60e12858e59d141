"""The one door to models: each call is classified, filtered, ranked, budgeted, guarded and recorded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from llava_agent.errors import ConfigError, PermissionDenied
from llava_agent.gateway import closed
from llava_agent.gateway.attempt import Attempt
from llava_agent.gateway.classify import Case, classify, digest, lowered
from llava_agent.gateway.data_class import DataClass
from llava_agent.gateway.deployment import local_deployments
from llava_agent.gateway.fallback import in_turn
from llava_agent.gateway.ledger import Ledger
from llava_agent.gateway.live import Fixed, PolicyFile, Snapshot
from llava_agent.gateway.model import ChatModel, pieces_of
from llava_agent.gateway.objections import affordable, well
from llava_agent.gateway.place import shipped_policy
from llava_agent.gateway.policy import Policy
from llava_agent.gateway.principal import Principal
from llava_agent.gateway.records import Call, Plan
from llava_agent.gateway.request import Candidate, Choice, Completion, ModelRequest
from llava_agent.gateway.route import Verdict, first, judge
from llava_agent.gateway.safeguards import Safeguards
from llava_agent.gateway.stream import Stream

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Asked:
    """A choice as it was asked, kept so that another model can be measured on the same question."""

    request: ModelRequest
    candidates: tuple[Candidate, ...]
    verbs: tuple[str, ...]
    choice: Choice


class Gateway:
    """Picks the cheapest permitted model that can do a step, and answers for every call afterwards.

    Args:
        models: models in this process, by name, all of them permitted; or the policy in force with its
            deployments, which may change while the gateway lives.
        ledger: where the calls are recorded; one in memory if None.
        keep_asked: remember each choice in `asked` (with its image) for a measured comparison.
        safeguards: guards, audit log, budgets, breakers; shared by all runs of the installation.
    """

    def __init__(
        self,
        models: Mapping[str, ChatModel] | Fixed | PolicyFile,
        ledger: Ledger | None = None,
        *,
        keep_asked: bool = False,
        safeguards: Safeguards | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._live = models if isinstance(models, Fixed | PolicyFile) else Fixed(here(models))
        self.ledger = ledger if ledger is not None else Ledger()
        self.safeguards = safeguards or Safeguards()
        self.safeguards.sessions.restore(self.ledger.entries)
        self.keep_asked = keep_asked
        self.asked: list[Asked] = []
        self._clock, self._sleep = clock, sleep

    def recording(self, ledger: Ledger, *, keep_asked: bool = False) -> Gateway:
        """The same models and safeguards, recorded elsewhere: each run has a ledger of its own."""
        return Gateway(
            self._live,
            ledger,
            keep_asked=keep_asked,
            safeguards=self.safeguards,
            clock=self._clock,
            sleep=self._sleep,
        )

    def only(self, entry: str) -> Gateway:
        """The same, but one entry of the policy alone may answer, for a caller that names it."""
        now = self._live.current()
        kept = tuple(one for one in now.deployments if one.entry == entry)
        return Gateway(
            Fixed(replace(now, deployments=kept)),
            self.ledger,
            safeguards=self.safeguards,
            clock=self._clock,
            sleep=self._sleep,
        )

    @property
    def policy(self) -> Policy:
        """The one in force."""
        return self._live.current().policy

    @property
    def models(self) -> dict[str, ChatModel]:
        """Every model that there is, by name; which of them a request may use, the policy says."""
        return {one.name: one.model for one in self._live.current().deployments}

    def seeing(self) -> tuple[str, ...]:
        """Entries with a model that takes images and is there, for `only`."""
        seen = [one.entry for one in self._live.current().deployments if one.vision and not one.absent]
        return tuple(dict.fromkeys(seen))

    @property
    def one_set_of_weights(self) -> bool:
        """Whether every model runs the same weights, so that pixels alone set its tiers apart."""
        return len({one.entry for one in self._live.current().deployments}) == 1

    def choose(self, request: ModelRequest, candidates: Sequence[Candidate], verbs: Sequence[str]) -> Choice:
        """Distribution over `verbs` and `candidates` of the cheapest model that may and can decide the step.

        Raises:
            NoPermittedModel: no model may and can, or all that may have failed.
            BudgetExceeded: there is no room for the call.
            PermissionDenied: a guard blocks, or failed.
            ToolError, WeightsError: the only permitted model failed, or the call cannot be recorded.
        """
        request = replace(request, candidates=tuple(candidates))
        plan = self._plan(request, "choose")
        attempt, choice = self._ask(plan, lambda model, seen: model.choose(seen, seen.candidates, verbs))
        choice = attempt.finish(choice)
        if self.keep_asked:
            self.asked.append(Asked(request, tuple(candidates), tuple(verbs), choice))
        return choice

    def complete(self, request: ModelRequest) -> Completion:
        """Generated text, or JSON text where the request carries a schema. Raises what `choose` raises."""
        attempt, completion = self._ask(
            self._plan(request, "complete"), lambda model, seen: model.complete(seen)
        )
        return attempt.finish(completion)

    def stream(self, request: ModelRequest) -> Stream:
        """`complete`, told as it comes. Returns with the model's first piece, so the route is settled.

        Raises what `choose` raises; while it is read, the stream raises what ends it.
        """
        attempt, (piece, rest) = self._ask(self._plan(request, "complete"), _begun)
        pieces = attempt.told(piece, rest)
        next(pieces)
        return Stream(attempt.route, pieces)

    def shadow(self, asked: Asked, model: ChatModel, reason: str) -> Choice:
        """Ask `model` the same again, only to measure it; the ledger line is marked as shadow.

        Raises what `choose` raises: what measures is bound by the policy as well.
        """
        plan = self._plan(asked.request, "choose", only=model, because=reason)
        attempt, choice = self._ask(plan, lambda one, seen: one.choose(seen, seen.candidates, asked.verbs))
        return attempt.finish(choice)

    def explain(self, request: ModelRequest, call: Call = "complete") -> tuple[Case, list[Verdict]]:
        """How the request would be routed now, without asking, reserving or recording anything."""
        return self._judged(request, call, self._live.current())

    def declassify(self, request: ModelRequest, to: DataClass, *, reason: str, by: Principal) -> ModelRequest:
        """The same request with no part above the class `to`, on the record; good for exactly this content.

        Raises:
            PermissionDenied: `by` may not, or there is no audit log to put it on record in.
            ConfigError: no reason is given.
        """
        policy, audit = self.policy, self.safeguards.audit
        if by.roles.isdisjoint(policy.declassifiers):
            roles = ", ".join(policy.declassifiers) or "nobody"
            raise PermissionDenied(
                f"{by.user} may not lower the class of data", f"it takes one of the roles: {roles}"
            )
        if not reason.strip():
            raise ConfigError("a declassification needs a reason", "say why the data may be treated so")
        if audit is None:
            raise PermissionDenied("without an audit log no class may be lowered", "switch the audit log on")
        before = self._judged(request, "complete", self._live.current())[0].data_class
        content = digest(request)
        record: dict[str, object] = {
            "kind": "declassification",
            "run": request.run,
            "user": by.user,
            "roles": sorted(by.roles),
            "from": before,
            "to": to,
            "reason": reason.strip(),
            "policy": policy.version_hash,
            "content_sha256": content,
        }
        sequence = closed.intend(audit, record)
        closed.conclude(audit, sequence, {"outcome": "ok"})
        self.safeguards.sessions.declassified(sequence, content)
        return replace(lowered(request, to), declassified=sequence)

    def _plan(
        self, request: ModelRequest, call: Call, *, only: ChatModel | None = None, because: str = ""
    ) -> Plan:
        """Raises NoPermittedModel or BudgetExceeded where no candidate is left."""
        now = self._live.current()
        if only is not None:
            kept = tuple(one for one in now.deployments if one.model is only)
            now = replace(now, deployments=kept)
        case, verdicts = self._judged(request, call, now)
        first(case, verdicts)
        if because:
            verdicts = [replace(one, reason=because) for one in verdicts]
        return Plan(case, call, now.policy, tuple(verdicts), shadow=only is not None)

    def _judged(self, request: ModelRequest, call: Call, now: Snapshot) -> tuple[Case, list[Verdict]]:
        session = self.safeguards.sessions.of(request.run)
        if request.declassified is not None:
            self.safeguards.sessions.check_declassified(request.declassified, digest(request))
        case = classify(request, session.data_class, choosing=call == "choose")
        objections = (well(self.safeguards.breakers), affordable(case, now.policy, self.safeguards.budgets))
        return case, judge(case, now.deployments, now.policy, session, objections)

    def _ask(self, plan: Plan, ask: Callable[[ChatModel, ModelRequest], Answer]) -> tuple[Attempt, Answer]:
        def begin(verdict: Verdict, number: int, seconds: float) -> Attempt:
            return Attempt(plan, verdict, number, seconds, self.safeguards, self.ledger)

        return in_turn(plan, begin, ask, self.safeguards.breakers, self._clock, self._sleep)


def here(models: Mapping[str, ChatModel]) -> Snapshot:
    """Models in this process under the policy that ships."""
    return Snapshot(shipped_policy(), local_deployments(models))


def _begun(model: ChatModel, request: ModelRequest) -> tuple[str | Completion, Iterator[str | Completion]]:
    """A stream with its first piece, which is where it fails if it fails at once."""
    pieces = pieces_of(model, request)
    return next(pieces), pieces
