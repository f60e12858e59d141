"""Two measurements of the same questions, paired: is one better, and what changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from pathlib import Path
from typing import Any

import numpy as np

from llava_agent.errors import ConfigError
from training.data.sample import Picture, RowError
from training.data.show import thumbnails
from training.suite.measure import REPLIES

_DRAWS = 10_000


@dataclass(frozen=True, slots=True)
class Compared:
    """Attributes:
    total: questions.
    right: how many each answered rightly.
    won, lost: right in the second alone, right in the first alone.
    p: of the exact McNemar test: how often so uneven a split of the changed verdicts comes by chance.
    interval: 95 % bootstrap interval of the second's accuracy less the first's.
    changed: replies whose verdict differs, as pairs.
    """

    total: int
    right: tuple[int, int]
    won: int
    lost: int
    p: float
    interval: tuple[float, float]
    changed: tuple[tuple[dict[str, Any], dict[str, Any]], ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            "total": self.total,
            "right": list(self.right),
            "difference": round((self.won - self.lost) / self.total, 4),
            "interval": [round(bound, 4) for bound in self.interval],
            "won": self.won,
            "lost": self.lost,
            "p": self.p,
            "changed": [one["id"] for one, _ in self.changed],
        }


def compare(first: Path, second: Path) -> Compared:
    """Compare two folders of `evaluate --out`.

    Raises:
        ConfigError: one is no measurement, or they asked other questions.
    """
    one, other = _replies(first), _replies(second)
    for key in sorted(set(one) ^ set(other)):
        where = first if key in one else second
        raise ConfigError(f"only {where} answers the question {key!r}", "compare measurements of one suite")
    for key, reply in one.items():
        if (reply["question"], reply["wanted"]) != (other[key]["question"], other[key]["wanted"]):
            raise ConfigError(f"the question {key!r} is another one in {second}", "compare one suite")
    pairs = [(one[key], other[key]) for key in one]
    changed = [pair for pair in pairs if pair[0]["right"] != pair[1]["right"]]
    won = sum(bool(pair[1]["right"]) for pair in changed)
    right = tuple(sum(bool(pair[side]["right"]) for pair in pairs) for side in (0, 1))
    difference = np.array([int(b["right"]) - int(a["right"]) for a, b in pairs])
    return Compared(
        len(pairs), (right[0], right[1]), won, len(changed) - won, mcnemar(won, len(changed) - won),
        _bootstrap(difference), tuple(changed),
    )  # fmt: skip


def mcnemar(won: int, lost: int) -> float:
    """Two-sided exact probability of a split at least as uneven (McNemar 1947; binomial, 1/2)."""
    total, least = won + lost, min(won, lost)
    return min(1.0, 2 * sum(comb(total, k) for k in range(least + 1)) / 2**total) if total else 1.0


def page(compared: Compared, first: Path, second: Path) -> str:
    """The changed answers with their images, as one HTML page that needs nothing else."""
    from jinja2 import Environment, PackageLoader

    environment = Environment(loader=PackageLoader("training.suite", "."), autoescape=True)
    rows = [
        {"first": a, "second": b, "images": _images(a["image"])}
        for a, b in sorted(compared.changed, key=lambda pair: (bool(pair[1]["right"]), pair[0]["id"]))
    ]
    template = environment.get_template("compare.html")
    return template.render(compared=compared.as_dict(), rows=rows, first=str(first), second=str(second))


def _bootstrap(difference: np.ndarray[Any, Any]) -> tuple[float, float]:
    rng = np.random.default_rng(0)
    means = [difference[rng.integers(0, len(difference), len(difference))].mean() for _ in range(_DRAWS)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def _images(path: str) -> Sequence[str]:
    try:
        return thumbnails([Picture(Path(path))])
    except RowError:
        return []


def _replies(folder: Path) -> dict[str, dict[str, Any]]:
    try:
        lines = (folder / REPLIES).read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
    except (OSError, ValueError) as error:
        raise ConfigError(f"{folder} holds no measurement", "name a folder of evaluate --out") from error
    if not rows:
        raise ConfigError(f"{folder} holds no reply", "measure it again")
    return {str(row["id"]): row for row in rows}
