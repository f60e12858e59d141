"""An answer that is told as it comes. Its model is settled before the first piece, and stays."""

from __future__ import annotations

from collections.abc import Iterator

from llava_agent.gateway.request import Completion, Route


class Stream:
    """Iterate it for pieces of text; then `completion` is there.

    An error while it is iterated ends the answer: no other model takes over what one has begun. `close` ends
    the call, as does leaving a `with` block; weights that serve one call at a time are held until then.

    Args:
        route: which model answers, and why.
        pieces: text, then the whole as a Completion.
    """

    def __init__(self, route: Route, pieces: Iterator[str | Completion]) -> None:
        self.route = route
        self._pieces = pieces
        self._whole: Completion | None = None

    @property
    def completion(self) -> Completion:
        """The whole answer with its usage. RuntimeError before the end."""
        if self._whole is None:
            raise RuntimeError("the stream has not been read to its end")
        return self._whole

    def __iter__(self) -> Iterator[str]:
        for piece in self._pieces:
            if isinstance(piece, str):
                yield piece
            else:
                self._whole = piece

    def close(self) -> None:
        close = getattr(self._pieces, "close", None)
        if close:
            close()

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
