"""Answers a question about a photo and says which regions drove the answer."""

from __future__ import annotations

import time

from llava_agent.agent.perceive import Eyes
from llava_agent.assembly import Core
from llava_agent.errors import ConfigError
from llava_agent.gateway.ledger import Ledger
from llava_agent.gateway.principal import LOCAL, Principal
from llava_agent.lab.attending import attended
from llava_agent.lab.deletion import delete
from llava_agent.lab.explanation import Explanation, Method, Region
from llava_agent.lab.occlusion import occlude
from llava_agent.lab.pointing import pointed
from llava_agent.lab.question import Asker, Progress, quiet
from llava_agent.lab.similarity import load_parts, similar
from tools.photo import Photo


def explain(
    photo: Photo,
    words: str,
    core: Core,
    method: Method = "occlusion",
    *,
    principal: Principal = LOCAL,
    test: bool = True,
    progress: Progress = quiet,
) -> Explanation:
    """The answer, the regions by their share in it, and the deletion test of that view.

    Args:
        test: cover the foremost region on the photo and ask anew; needs two more looks at the photo.
        progress: is told how much of the view is done; what it raises ends the work.

    Raises:
        ConfigError: an empty question, or a method that the model does not allow.
        NoPermittedModel: no vision model may answer.
    """
    gateway = core.gateway.recording(Ledger())
    eyes = Eyes(gateway, core.find, principal=principal)
    answer = eyes.ask(photo, words)
    began = time.perf_counter()
    marks = eyes.marks(photo)
    asker = Asker(gateway, words.strip(), principal)
    regions: tuple[Region, ...]
    if method == "similarity":
        found = similar(photo.image, words, *load_parts(), progress)
        regions, calls = found.regions, found.windows
    else:
        first = asker.ask(photo.image, marks)
        if method == "pointer":
            regions = pointed(first, marks)
        elif method == "occlusion":
            regions = occlude(asker, photo, marks, first, progress)
        else:
            regions = attended(gateway, asker.request(photo.image), marks, first)
        calls = asker.calls
    seconds = time.perf_counter() - began
    deletion = delete(photo, words, regions, marks, gateway, core.find, principal) if test else None
    return Explanation(words.strip(), answer, method, regions, calls, seconds, deletion)


def method_of(name: str) -> Method:
    """Raises ConfigError for a method that there is not."""
    from llava_agent.lab.explanation import METHODS

    for method in METHODS:
        if method == name:
            return method
    raise ConfigError(f"there is no view {name!r}", f"views: {', '.join(METHODS)}")
