"""What the endpoints take. A parameter that is not listed is refused; one that is has its effect."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

#: Longest text of one message, in characters; the models' own contexts are shorter.
TEXT = 200_000
#: Longest data: URL, in characters: an image of 20 MB.
URL = 28_000_000
MOST_MESSAGES, MOST_PARTS, MOST_TOOLS = 500, 32, 64


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ImageUrl(Body):
    """`detail` is taken and has no effect: the photo is always looked at whole."""

    url: str = Field(max_length=URL)
    detail: Literal["auto", "low", "high"] = "auto"


class TextPart(Body):
    type: Literal["text"]
    text: str = Field(max_length=TEXT)


class ImagePart(Body):
    type: Literal["image_url"]
    image_url: ImageUrl


Part = Annotated[TextPart | ImagePart, Field(discriminator="type")]
Parts = Annotated[list[Part], Field(min_length=1, max_length=MOST_PARTS)]
Text = Annotated[str, Field(max_length=TEXT)]
Words = Text | Annotated[list[TextPart], Field(min_length=1, max_length=MOST_PARTS)]


class SystemMessage(Body):
    role: Literal["system", "developer"]
    content: Words
    name: str | None = Field(None, max_length=64)


class UserMessage(Body):
    role: Literal["user"]
    content: Text | Parts
    name: str | None = Field(None, max_length=64)


class CalledFunction(Body):
    name: str = Field(max_length=64)
    arguments: Text


class ToolCall(Body):
    id: str = Field(max_length=100)
    type: Literal["function"] = "function"
    function: CalledFunction


class AssistantMessage(Body):
    """What this server itself adds to a message may be sent back to it."""

    role: Literal["assistant"]
    content: Words | None = None
    refusal: str | None = Field(None, max_length=TEXT)
    name: str | None = Field(None, max_length=64)
    tool_calls: list[ToolCall] | None = Field(None, max_length=MOST_TOOLS)
    evidence: list[Any] | None = None
    confidence: float | None = None


class ToolMessage(Body):
    role: Literal["tool"]
    content: Words
    tool_call_id: str = Field(max_length=100)


MessageBody = Annotated[
    SystemMessage | UserMessage | AssistantMessage | ToolMessage, Field(discriminator="role")
]


class Function(Body):
    """`strict` is taken and has no effect: arguments always follow the schema."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    description: str = Field("", max_length=4000)
    parameters: dict[str, Any] = Field(default_factory=lambda: {"type": "object", "properties": {}})
    strict: bool | None = None


class Tool(Body):
    type: Literal["function"]
    function: Function


class NamedFunction(Body):
    name: str = Field(max_length=64)


class NamedTool(Body):
    type: Literal["function"]
    function: NamedFunction


class PlainFormat(Body):
    type: Literal["text", "json_object"]


class NamedSchema(Body):
    """`strict` is taken and has no effect: the output always follows the schema."""

    name: str = Field("answer", max_length=64)
    description: str = Field("", max_length=4000)
    schema_: dict[str, Any] = Field(alias="schema")
    strict: bool | None = None


class SchemaFormat(Body):
    type: Literal["json_schema"]
    json_schema: NamedSchema


class StreamOptions(Body):
    include_usage: bool = False


class ChatBody(Body):
    """A chat completion request.

    `n`, the penalties and `logprobs` may be sent with the value that means nothing; any other is refused.
    """

    model: str = Field("auto", min_length=1, max_length=200)
    messages: list[MessageBody] = Field(min_length=1, max_length=MOST_MESSAGES)
    max_tokens: int | None = Field(None, ge=1, le=8192)
    max_completion_tokens: int | None = Field(None, ge=1, le=8192)
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    seed: int | None = Field(None, ge=0, lt=2**63)
    stop: Annotated[str, Field(max_length=100)] | Annotated[list[str], Field(max_length=4)] | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    response_format: Annotated[PlainFormat | SchemaFormat, Field(discriminator="type")] | None = None
    tools: list[Tool] | None = Field(None, max_length=MOST_TOOLS)
    tool_choice: Literal["none", "auto", "required"] | NamedTool | None = None
    parallel_tool_calls: bool | None = None
    user: str | None = Field(None, max_length=200)
    n: Literal[1] | None = None
    frequency_penalty: Literal[0] | None = None
    presence_penalty: Literal[0] | None = None
    logprobs: Literal[False] | None = None
    store: Literal[False] | None = None

    @model_validator(mode="after")
    def consistent(self) -> ChatBody:
        if self.stream_options and not self.stream:
            raise ValueError("stream_options needs stream")
        if self.tool_choice not in (None, "none") and not self.tools:
            raise ValueError("tool_choice needs tools")
        names = [tool.function.name for tool in self.tools or []]
        if len(set(names)) < len(names):
            raise ValueError("two tools have the same name")
        if isinstance(self.tool_choice, NamedTool) and self.tool_choice.function.name not in names:
            raise ValueError("tool_choice names no tool of this request")
        return self

    @property
    def most_tokens(self) -> int | None:
        return self.max_completion_tokens or self.max_tokens


class EmbeddingsBody(Body):
    """`input` is text, or images as `data:` URLs."""

    model: str = Field("auto", min_length=1, max_length=200)
    input: (
        Annotated[str, Field(min_length=1, max_length=URL)]
        | Annotated[
            list[Annotated[str, Field(min_length=1, max_length=URL)]], Field(min_length=1, max_length=256)
        ]
    )
    encoding_format: Literal["float", "base64"] = "float"
    user: str | None = Field(None, max_length=200)
