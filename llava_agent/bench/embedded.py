"""The decoding benchmark of the embedded weights that are installed."""

from __future__ import annotations

import tempfile
from pathlib import Path

from llava_agent.bench.decode import DecodeReport, Settings, bench_decode
from llava_agent.vlm.weights.store import Progress, quiet


def bench_embedded(settings: Settings, progress: Progress = quiet) -> DecodeReport:
    """Every precision that is installed against transformers, on the same weights.

    Raises:
        WeightsError: the weights, or the source file that the fp32 model is read from, are not there.
    """
    from llava_agent.vlm.build.embedded import BUILD_BYTES, merged_folder
    from llava_agent.vlm.weights import (
        EMBEDDED,
        EMBEDDED_INT4,
        home,
        language_source,
        paths,
        present,
        shipped_dir,
    )
    from llava_agent.vlm.weights.store import room_for

    built = {EMBEDDED: paths(EMBEDDED)["language"]}
    if present(EMBEDDED_INT4):
        built[EMBEDDED_INT4] = paths(EMBEDDED_INT4)["language"]
    room_for(home(), BUILD_BYTES)
    with tempfile.TemporaryDirectory(dir=home(), prefix=".bench-") as name:
        progress("read the language model in fp32", 0, 0)
        reference = merged_folder(Path(name) / "fp32", language_source(), shipped_dir(), Path(name) / "log")
        return bench_decode(built, reference, settings, progress)
