"""Search in the manuals as tools of the agent: `tools`' protocol, implemented beside the layer it needs."""

from __future__ import annotations

import asyncio

from pydantic import Field

from llava_agent.gateway.data_class import DataClass
from llava_agent.gateway.principal import LOCAL, Principal
from llava_agent.knowledge.answer import ask
from llava_agent.knowledge.search import Search
from tools.tool import ToolResult
from tools.typed import Arguments, TypedTool


class Question(Arguments):
    """What is asked of the manuals."""

    question: str = Field(
        min_length=1, max_length=1000, description="such as: what does E14 mean on this pump"
    )


class Words(Arguments):
    """What is looked for in the manuals."""

    words: str = Field(min_length=1, max_length=1000)
    count: int = Field(default=5, ge=1, le=20)


class AskManuals(TypedTool[Question]):
    """An answer from the manuals that `principal` may see.

    Args:
        highest: most sensitive class that may come back, such as what the run's models may see.
    """

    name = "knowledge.ask"
    description = "Answer a question from the manuals, quoted, with document, page and passage."
    arguments = Question

    def __init__(
        self, search: Search, principal: Principal = LOCAL, highest: DataClass = "restricted"
    ) -> None:
        self._search, self._principal, self._highest = search, principal, highest

    async def run(self, given: Question) -> ToolResult:
        answer = await asyncio.to_thread(
            ask, self._search, given.question, self._principal, highest=self._highest
        )
        cited = "".join(
            f" [{one.id}] ({one.document}{f', page {one.page}' if one.page else ''})"
            for one in answer.citations
        )
        return ToolResult(f"{answer.text}{cited}", answer.as_dict())


class SearchManuals(TypedTool[Words]):
    """Passages of the manuals that `principal` may see."""

    name = "knowledge.search"
    description = "Find passages in the manuals by words and meaning; each has an id to cite."
    arguments = Words

    def __init__(
        self, search: Search, principal: Principal = LOCAL, highest: DataClass = "restricted"
    ) -> None:
        self._search, self._principal, self._highest = search, principal, highest

    async def run(self, given: Words) -> ToolResult:
        found = await asyncio.to_thread(
            self._search.find, given.words, self._principal, highest=self._highest, count=given.count
        )
        text = "\n\n".join(f"[{one.id}] {one.place}: {one.heading}\n{one.text}" for one in found)
        return ToolResult(text or "nothing was found", {"passages": [one.as_dict() for one in found]})
