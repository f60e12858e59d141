"""A cache bounded in bytes: what was used longest ago goes first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class ByteCache(Generic[K, V]):
    """Values whose sizes add up to at most `limit` bytes. Not locked: one thread at a time.

    The key must say everything that the value depends on (for image tokens the digest of the decoded pixels,
    never a placeholder or a file name); one cache belongs to one set of weights.

    Args:
        limit: most bytes kept; 0 keeps nothing.
        size_of: bytes of a value; asked once, when it comes in.
    """

    def __init__(self, limit: int, size_of: Callable[[V], int]) -> None:
        if limit < 0:
            raise ValueError(f"a cache cannot hold {limit} bytes")
        self.limit, self._size_of = limit, size_of
        self._kept: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self.bytes = 0

    def get(self, key: K) -> V | None:
        """The value, which counts as used now; None where it is not kept."""
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        return self._kept[key][0]

    def put(self, key: K, value: V) -> None:
        """Keep the value; one that is larger than the limit by itself is not kept and drives nothing out."""
        self.drop(key)
        size = self._size_of(value)
        if size > self.limit:
            return
        self._kept[key] = (value, size)
        self.bytes += size
        while self.bytes > self.limit:
            _, (_, oldest) = self._kept.popitem(last=False)
            self.bytes -= oldest

    def drop(self, key: K) -> None:
        """Forget one value, if it is kept."""
        if key in self._kept:
            self.bytes -= self._kept.pop(key)[1]

    def clear(self) -> None:
        self._kept.clear()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, key: K) -> bool:
        """Without counting as used."""
        return key in self._kept
