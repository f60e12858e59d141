"""The attention of a generating model to the cells of an image, as regions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from llava_agent.agent.candidate import candidate
from llava_agent.agent.perceive import VERBS
from llava_agent.errors import ConfigError
from llava_agent.gateway.gateway import Gateway
from llava_agent.gateway.model import LocalModel
from llava_agent.gateway.request import Choice, ModelRequest
from llava_agent.lab.explanation import Region
from tools.mark import Mark

#: Cells below this part of the foremost one's attention are not shown.
LEAST = 0.1


def attended(
    gateway: Gateway, request: ModelRequest, marks: Sequence[Mark], first: Choice
) -> tuple[Region, ...]:
    """The cells by their attention, relative to the foremost.

    Args:
        request: the question, which the gateway let the model of `first` answer.

    Raises:
        ConfigError: the model that answered does not give its attention.
    """
    from llava_agent.deployments import Loading
    from llava_agent.vlm.attention import Attending

    model = gateway.models.get(first.route.model)
    weights = model.weights if isinstance(model, LocalModel) else None
    weights = weights.loaded() if isinstance(weights, Loading) else weights
    if not isinstance(weights, Attending):
        raise ConfigError(
            f"{first.route.model} does not attend to patches of an image, or does not tell",
            "explain it by occlusion",
        )
    found = weights.attention(request, [candidate(mark) for mark in marks], VERBS, first)
    top = max(float(found.weights.max(initial=0.0)), 1e-9)
    shares = found.weights / top
    regions = []
    for at in np.argsort(-shares):
        if shares[at] >= LEAST:
            x0, y0, x1, y1 = found.boxes[at].as_list()
            regions.append(Region((x0, y0, x1, y1), float(shares[at])))
    return tuple(regions)
