"""One engine in a process of its own, asked over its pipes: its memory is its own, and it stays loaded.

Run as `python -m llava_agent.bench.worker onnx|transformers FOLDER THREADS`: reads one JSON request a line,
answers with one JSON object a line, the first of which says how loading went.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

#: Runs a prompt: token ids and number of new tokens in; new ids and the time (s) at which each was there out.
Run = Callable[[list[int], int], tuple[list[int], list[float]]]
#: Logits of the last position of a prompt.
Logits = Callable[[list[int]], Any]


def onnx(folder: Path, threads: int) -> tuple[Run, Logits]:
    from llava_agent.vlm.decode import Sampling, generate
    from llava_agent.vlm.engines.onnx_engine import OnnxEngine

    engine = OnnxEngine(folder, threads)

    def run(prompt: list[int], count: int) -> tuple[list[int], list[float]]:
        engine.cut(0)
        tokens, times, start = [], [], time.perf_counter()
        for token in generate(engine, engine.embed(np.asarray(prompt)), Sampling(max_tokens=count), ()):
            tokens.append(token)
            times.append(time.perf_counter() - start)
        return tokens, times

    def logits(prompt: list[int]) -> Any:
        engine.cut(0)
        return engine.forward(engine.embed(np.asarray(prompt)))[1]

    return run, logits


def transformers(folder: Path, threads: int) -> tuple[Run, Logits]:
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(threads)
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()

    def run(prompt: list[int], count: int) -> tuple[list[int], list[float]]:
        times: list[float] = []
        start = time.perf_counter()

        def clock(_ids: Any, _scores: Any, **_: Any) -> Any:
            times.append(time.perf_counter() - start)
            return torch.zeros(1, dtype=torch.bool)

        ids = torch.tensor([prompt])
        made = model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=count,
            do_sample=False, eos_token_id=None, pad_token_id=0, stopping_criteria=[clock],
        )  # fmt: skip
        return made[0, len(prompt) :].tolist(), times

    def logits(prompt: list[int]) -> Any:
        with torch.inference_mode():
            return model(torch.tensor([prompt]), logits_to_keep=1).logits[0, -1].numpy()

    return run, logits


def serve(engine: str, folder: Path, threads: int) -> None:
    """Answer requests until the input ends."""
    import psutil

    process, start = psutil.Process(), time.perf_counter()
    run, logits = {"onnx": onnx, "transformers": transformers}[engine](folder, threads)
    _say({"load_s": time.perf_counter() - start})
    for line in sys.stdin:
        request = json.loads(line)
        if "logits_to" in request:
            np.save(request["logits_to"], np.asarray(logits(request["prompt"])))
            _say({})
            continue
        tokens, times = run(request["prompt"], request["tokens"])
        _say({"tokens": tokens, "times": times, "rss_mb": process.memory_info().rss / 1e6})


def _say(answer: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
