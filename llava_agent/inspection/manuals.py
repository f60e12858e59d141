"""The manuals as an inspection asks them: what they say of a fault, quoted, or nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from llava_agent.gateway.principal import Principal
from llava_agent.inspection.finding import Citation
from llava_agent.inspection.guidance import Search

if TYPE_CHECKING:
    from llava_agent.database import Database
    from llava_agent.knowledge.search import Search as Passages


@dataclass(slots=True)
class Manuals:
    """The knowledge base, opened at the first question. Safe to share between threads.

    Args:
        database: gives the database that holds the manuals.
    """

    database: Callable[[], Database]
    _passages: Passages | None = None
    _opening: threading.Lock = field(default_factory=threading.Lock)

    def of(self, who: Principal) -> Search:
        """What `next_steps` asks; it sees the documents that this principal may see, and no other."""
        return partial(self._cited, who)

    def _cited(self, who: Principal, question: str) -> Sequence[Citation]:
        """The sentence that answers; none where the manuals do not say it.

        Raises:
            ToolError: the database cannot be used.
        """
        from llava_agent.knowledge.answer import ask

        answer = ask(self.passages(), question, who)
        return [Citation(one.document, one.page, one.quote, one.passage) for one in answer.citations]

    def passages(self) -> Passages:
        """The index, with the text embedder where that was pulled."""
        from llava_agent.knowledge.search import Search as Passages
        from llava_agent.vlm.weights import KNOWLEDGE, present

        with self._opening:
            if self._passages is None:
                embedder = None
                if present(KNOWLEDGE):
                    from llava_agent.vlm.text_embedder import load_text_embedder

                    embedder = load_text_embedder()
                self._passages = Passages(self.database(), embedder)
            return self._passages
