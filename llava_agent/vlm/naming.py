"""The tower's own words for a region, by zero-shot retrieval over a vocabulary (`red gear icon`).

CLIP does for icons what OCR does for text: a mark without text gets words, and the language model is far
better with words than with a region token alone. numpy only; the text side of the tower is computed once and
shipped.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llava_agent.errors import WeightsError

VOCABULARY = "vocabulary.json"
EMBEDDINGS = "vocabulary.npz"


@dataclass(frozen=True, slots=True)
class Name:
    """What the tower sees: `kind` (`gear icon`), `colour` (may be empty), similarity of the best caption."""

    kind: str
    colour: str
    similarity: float

    @property
    def words(self) -> str:
        """`red gear icon`."""
        return f"{self.colour} {self.kind}".strip()


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Kinds and colours with the unit embeddings of their captions.

    Attributes:
        plain: `[K, D]` embeddings of the kinds alone.
        coloured: `[K, C, D]` embeddings of each colour with each kind.
    """

    kinds: tuple[str, ...]
    colours: tuple[str, ...]
    plain: NDArray[np.float32]
    coloured: NDArray[np.float32]

    @classmethod
    def load(cls, folder: Path) -> Vocabulary:
        """Raises WeightsError where the files are absent or do not belong together."""
        try:
            words = json.loads((folder / VOCABULARY).read_text(encoding="utf-8"))
            with np.load(folder / EMBEDDINGS) as arrays:
                plain, coloured = arrays["plain"].astype(np.float32), arrays["coloured"].astype(np.float32)
            loaded = cls(tuple(words["kinds"]), tuple(words["colours"]), plain, coloured)
        except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
            raise WeightsError(
                f"the vocabulary in {folder} cannot be read ({error})", "reinstall the package"
            ) from error
        if loaded.coloured.shape[:2] != (len(loaded.kinds), len(loaded.colours)):
            raise WeightsError(
                f"the vocabulary in {folder} does not fit its embeddings", "reinstall the package"
            )
        return loaded

    def save(self, folder: Path) -> None:
        """Write the words, and the embeddings in half precision, into `folder`."""
        words = {"kinds": self.kinds, "colours": self.colours}
        (folder / VOCABULARY).write_text(json.dumps(words, indent=1) + "\n", encoding="utf-8")
        np.savez_compressed(
            folder / EMBEDDINGS,
            plain=self.plain.astype(np.float16),
            coloured=self.coloured.astype(np.float16),
        )

    def name(self, embeddings: NDArray[np.float32]) -> list[Name]:
        """The best words for unit embeddings `[N, D]`: the kind first, then its colour.

        The colour is left out where the plain caption fits better than every coloured one.
        """
        if not len(embeddings):
            return []
        plain = embeddings @ self.plain.T
        shape = self.coloured.shape
        coloured = (embeddings @ self.coloured.reshape(-1, shape[2]).T).reshape(-1, *shape[:2])
        best = np.maximum(plain, coloured.max(2))
        names = []
        for row, kind in enumerate(best.argmax(1)):
            colour = int(coloured[row, kind].argmax())
            worth = coloured[row, kind, colour] >= plain[row, kind]
            names.append(
                Name(self.kinds[kind], self.colours[colour] if worth else "", float(best[row, kind]))
            )
        return names
