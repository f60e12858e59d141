"""What a model is asked, and what it answers. The gateway knows no agent, only these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from llava_agent.gateway.data_class import UNCLASSIFIED, DataClass
from llava_agent.gateway.principal import LOCAL, Principal

#: Kind of the step a call serves; the router decides by it first.
StepKind = Literal["plan", "perceive", "act", "tool_args", "verify", "summarise"]

#: A region in pixels of the request's image: (x0, y0, x1, y1).
Region = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One thing that can be chosen.

    Attributes:
        line: the words for it, as the model reads them (`"Submit" button`).
        text: the part of `line` that may be quoted as an answer or typed (`Submit`).
        region: where it is in the image; a model with eyes also gets its pixels.
    """

    line: str
    text: str = ""
    region: Region | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation.

    Attributes:
        images: encoded images (PNG or JPEG bytes) that stand before the text.
        data_class: how sensitive the turn is.
    """

    role: Literal["system", "user", "assistant"]
    text: str
    images: tuple[bytes, ...] = ()
    data_class: DataClass = UNCLASSIFIED


@dataclass(frozen=True, slots=True)
class Drawing:
    """How the words of a completion are drawn; None leaves it to the model's preset.

    Attributes:
        temperature: 0 is greedy.
        stop: texts that end the answer; they are not part of it.
    """

    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One call.

    Attributes:
        step_kind: what the call is for.
        instruction: the goal or the question; empty where `messages` say everything.
        facts: `name = value` memory lines, known to be true, in order.
        history: what was done so far, oldest first, one line each.
        image: encoded image (PNG or JPEG bytes), None for a step that has no pixels.
        needs_pixels: the step cannot be decided from the text alone.
        minimum_tier: escalation: 0 any permitted model, 1 at least the vision model.
        because: why the caller asks for this tier, a sentence for the ledger; empty lets the router say it.
        run: the run that pays.
        step: index of the agent's step, for the ledger.
        max_tokens: bound of generated tokens (for `complete`).
        json_schema: output of `complete` must satisfy it (constrained decoding).
        messages: a conversation to go on with (for `complete`), in place of instruction, facts and history.
        drawing: how the words are drawn (for `complete`).
        candidates: what is to be chosen from; `Gateway.choose` puts them here, so that guards see every part.
        offers_tools: the messages describe tools that may be called, so the model must be able to.
        principal: on whose behalf.
        data_class: how sensitive instruction, facts, history and candidates are.
        image_class: how sensitive `image` is, and whatever was read from it.
        declassified: number of the audit record that lowered the classes; see `Gateway.declassify`.
        seconds: longest wait for an answer, for models that can be told; None leaves it to the model.
    """

    step_kind: StepKind
    instruction: str
    facts: tuple[str, ...] = ()
    history: tuple[str, ...] = ()
    image: bytes | None = None
    needs_pixels: bool = False
    minimum_tier: int = 0
    because: str = ""
    run: str = ""
    step: int | None = None
    max_tokens: int = 64
    json_schema: Mapping[str, object] | None = None
    messages: tuple[Message, ...] = ()
    drawing: Drawing = Drawing()
    candidates: tuple[Candidate, ...] = ()
    offers_tools: bool = False
    principal: Principal = LOCAL
    data_class: DataClass = UNCLASSIFIED
    image_class: DataClass = UNCLASSIFIED
    declassified: int | None = None
    seconds: float | None = None

    @property
    def images(self) -> tuple[bytes, ...]:
        """Every image of the request, those of the messages included, in order."""
        own = () if self.image is None else (self.image,)
        return own + tuple(image for message in self.messages for image in message.images)

    def without_pixels(self) -> ModelRequest:
        """The same words, and no image."""
        if not self.images:
            return self
        messages = tuple(replace(message, images=()) for message in self.messages)
        return replace(self, image=None, messages=messages)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens and milliseconds of one call. `reused` prompt tokens came from the kept prefix KV."""

    prompt_tokens: int = 0
    image_tokens: int = 0
    output_tokens: int = 0
    reused_tokens: int = 0
    milliseconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def total_tokens(self) -> int:
        """Prompt (image tokens included) and output tokens."""
        return self.prompt_tokens + self.output_tokens

    @property
    def total_ms(self) -> float:
        return sum(self.milliseconds.values())


@dataclass(frozen=True, slots=True)
class Route:
    """Which model took the call and why."""

    model: str
    tier: Literal["text", "vision"]
    reason: str


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of the prompt that was pointed at, quoted exactly.

    Attributes:
        text: the quoted characters.
        source: `instruction`, `fact`, or `candidate`.
        index: which fact or candidate; 0 for the instruction.
    """

    text: str
    source: Literal["instruction", "fact", "candidate"]
    index: int
    probability: float


@dataclass(frozen=True, slots=True)
class Choice:
    """A distribution over verbs and over candidates, and the quoted span where the verb takes one.

    Attributes:
        verb: the most probable of the offered verbs.
        verbs: probability of each offered verb.
        index: position of the chosen candidate; None for *none of these* or a verb without target.
        distribution: calibrated probability of each candidate, in order; `none` is the rest.
        none: calibrated probability of *none of these*.
        span: quoted text for verbs that take one.
        confidence: product of the probabilities of what was chosen.
        said: generated words, for the verb `say`.
    """

    verb: str
    verbs: Mapping[str, float]
    index: int | None
    distribution: tuple[float, ...]
    none: float
    span: Span | None
    confidence: float
    usage: Usage
    route: Route
    said: str = ""


@dataclass(frozen=True, slots=True)
class Completion:
    """Generated text (or JSON text where a schema was given)."""

    text: str
    finish: Literal["stop", "length"]
    usage: Usage
    route: Route
