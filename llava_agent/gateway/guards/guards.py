"""The guards of an installation, in the order in which a call meets them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, TypeVar

from llava_agent.gateway.guards import output, rounds
from llava_agent.gateway.guards.finding import Finding, Guard
from llava_agent.gateway.guards.images import read_image
from llava_agent.gateway.guards.injection import Injection
from llava_agent.gateway.guards.mask import Masks
from llava_agent.gateway.guards.parts import fixed_texts, rewritten, texts
from llava_agent.gateway.guards.patterns import Patterns
from llava_agent.gateway.guards.presidio import NAME_WORDS, Presidio
from llava_agent.gateway.guards.rounds import ReadImages, Round, Text
from llava_agent.gateway.guards.secrets import Secrets
from llava_agent.gateway.guards.settings import Action, GuardSettings
from llava_agent.gateway.guards.stream import StreamGuard
from llava_agent.gateway.guards.topics import Topics
from llava_agent.gateway.guards.verdict import Rule, enforce, results_of, rule_of, to_blacken, to_mask
from llava_agent.gateway.principal import Principal
from llava_agent.gateway.request import Choice, Completion, ModelRequest
from llava_agent.gateway.screen import Blocked, GuardResult, Hidden, Screened

Answer = TypeVar("Answer", Choice, Completion)


class Guards:
    """Implements `gateway.screen.Screen` and `StreamingScreen`. Safe to share between threads.

    Args:
        settings: the `guards` section of the policy.
        guards: in place of the built-in ones.
        read: reads an image that would leave the machine.
    """

    def __init__(
        self,
        settings: GuardSettings | None = None,
        *,
        guards: Sequence[Guard] | None = None,
        read: ReadImages = read_image,
    ) -> None:
        self.settings = settings or GuardSettings()
        self._topics = Topics(self.settings.topics)
        built_in = (Secrets(), Patterns(self.settings.phone_regions), self._topics, Injection())
        own = built_in if guards is None else tuple(guards)
        self._guards: tuple[Guard, ...] = (*own, *_further(self.settings))
        self._read = read

    def inbound(
        self,
        request: ModelRequest,
        principal: Principal,
        *,
        leaves_machine: bool,
        approved: bool = False,
    ) -> Screened[ModelRequest]:
        """Look at every part that travels, images too where they leave the machine.

        Raises:
            Blocked: a guard failed or found what is blocked.
            ApprovalNeeded: a person must decide, unless `approved`.
        """
        settings = self.settings
        rule = rule_of(settings, settings.leaving if leaves_machine else settings.staying)
        maskable = _distinct(list(texts(request)))
        fixed = _distinct(list(fixed_texts(request)))
        images = request.images if leaves_machine else ()
        seen = rounds.look(self._guards, [*maskable, *fixed], images, self._read, settings.seconds)
        results = results_of(seen, rule)
        enforce(results, "the request", approved=approved)
        if any(to_mask(seen, rule, len(maskable) + index) for index in range(len(fixed))):
            raise Blocked(
                "the output schema or a stop text holds what would have to be masked, which would change it",
                "take it out",
                tuple(replace(one, action="block") if one.action == "mask" else one for one in results),
            )
        masks = Masks()
        changed = _changes(seen, rule, maskable, masks)
        value = (
            rewritten(request, lambda text, place: changed.get((text, place), text)) if changed else request
        )
        if images:
            value = _with_images(value, _blackened(seen, rule))
        return Screened(value, results, masks)

    def outbound(
        self, answer: Answer, request: ModelRequest, principal: Principal, hidden: Hidden | None = None
    ) -> Screened[Answer]:
        """Check the schema, put back what was masked on the way out, and look at the words of the answer.

        Raises:
            Blocked: a guard failed, found what is blocked, or the answer does not satisfy the schema.
        """
        return self._screened_answer(answer, request, hidden)

    def streaming(
        self,
        pieces: Iterator[str | Completion],
        request: ModelRequest,
        principal: Principal,
        hidden: Hidden | None = None,
    ) -> Iterator[str | Screened[Completion]]:
        """The pieces of an answer as they may be shown, then the whole. Raises Blocked, also midway."""
        stream, shown = self.stream(request, hidden), []
        for piece in pieces:
            if isinstance(piece, str):
                shown.append(stream.push(piece))
                if shown[-1]:
                    yield shown[-1]
                continue
            end = stream.end()
            if end.value:
                yield end.value
            yield Screened(replace(piece, text="".join(shown) + end.value), end.results)

    def stream(self, request: ModelRequest, hidden: Hidden | None = None) -> StreamGuard:
        """The guards of one answer that comes in pieces."""
        return StreamGuard(
            look=self._places,
            restore=hidden.restore if hidden is not None else lambda text: text,
            words=max(1, self._topics.most_words, NAME_WORDS if self.settings.presidio else 0),
            finish=lambda text: output.schema_result_of(text, request),
        )

    def _screened_answer(
        self, answer: Choice | Completion, request: ModelRequest, hidden: Hidden | None
    ) -> Screened[Any]:
        schema = output.schema_result(answer, request)
        if schema.action == "block":
            raise output.violation(schema)
        restored = output.restored(answer, request, hidden)
        seen = self._masked_words(output.texts(restored))
        if seen.value:
            restored = output.replaced(restored, seen.value)
        return Screened(restored, (*seen.results, schema))

    def _masked_words(self, words: Sequence[str]) -> Screened[dict[str, str]]:
        """Words of an answer that change, by what they were. Raises Blocked."""
        said = _distinct([(text, "answer") for text in words])
        seen, rule, results = self._look_at_answer(said)
        changes = _changes(seen, rule, said, Masks())
        return Screened({text: new for (text, _), new in changes.items()}, results)

    def _places(self, text: str) -> tuple[list[Finding], tuple[GuardResult, ...]]:
        """What is to be masked in a piece of an answer, and the results. Raises Blocked."""
        seen, rule, results = self._look_at_answer([(text, "answer")])
        return to_mask(seen, rule, 0), results

    def _look_at_answer(self, said: Sequence[Text]) -> tuple[Round, Rule, tuple[GuardResult, ...]]:
        asked = rule_of(self.settings, self.settings.answers)

        def rule(guard: str, kind: str) -> Action:
            # An answer is not kept until somebody has decided, so what asks in it blocks.
            action = asked(guard, kind)
            return "block" if action == "ask" else action

        seen = rounds.look(self._guards, said, (), self._read, self.settings.seconds)
        results = results_of(seen, rule)
        enforce(results, "the answer")
        return seen, rule, results


def _further(settings: GuardSettings) -> tuple[Guard, ...]:
    return () if settings.presidio is None else (Presidio(settings.presidio),)


@lru_cache(maxsize=8)
def guards_of(settings: GuardSettings) -> Guards:
    """The guards of a policy; made once for equal settings."""
    return Guards(settings)


def _distinct(found: Sequence[Text]) -> list[Text]:
    return list(dict.fromkeys(one for one in found if one[0]))


def _changes(seen: Round, rule: Rule, looked_at: Sequence[Text], masks: Masks) -> dict[Text, str]:
    """Masked texts by what they were; only those that change."""
    changed = {}
    for index, (text, place) in enumerate(looked_at):
        if findings := to_mask(seen, rule, index):
            changed[text, place] = masks.hide(text, findings)
    return changed


def _blackened(seen: Round, rule: Rule) -> list[bytes]:
    return [image.written(to_blacken(seen, rule, index)) for index, image in enumerate(seen.images)]


def _with_images(request: ModelRequest, images: list[bytes]) -> ModelRequest:
    """The request with these images in the order of `request.images`."""
    rest = iter(images)
    image = next(rest) if request.image is not None else None
    messages = tuple(
        replace(message, images=tuple(next(rest) for _ in message.images)) for message in request.messages
    )
    return replace(request, image=image, messages=messages)
