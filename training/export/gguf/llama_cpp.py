"""llama.cpp itself, run on exported files in a process of its own: a crash of it must not end this one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import Any

from llava_agent.errors import ConfigError, WeightsError
from llava_agent.vlm.build.step import child_environment

#: Seconds that one answer may take; a 7B model on a CPU needs minutes.
_PATIENCE = 1800

#: A line of output that is the result; llama.cpp writes others.
_MARK = "RESULT "


@dataclass(frozen=True, slots=True)
class Asked:
    """What llama.cpp is asked.

    Attributes:
        language, vision: the files.
        image: as a data URL.
        texts: of each question, written after the image.
        steps: tokens to generate, greedily.
        top: most likely tokens that are told for each step.
    """

    language: str
    vision: str
    image: str
    texts: tuple[str, ...]
    said: str
    steps: int
    top: int


@dataclass(frozen=True, slots=True)
class Told:
    """Attributes:
    positions: of the prompt, image included.
    ids: of what was said.
    likely: for each step the most likely tokens and their log-probabilities.
    """

    positions: int
    ids: tuple[int, ...]
    likely: tuple[dict[int, float], ...]


def require_llama_cpp() -> str:
    """Its version; ConfigError where it is not installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("xllamacpp")
    except PackageNotFoundError:
        raise ConfigError(
            "exported GGUF files are checked with llama.cpp, which is not installed",
            "pip install 'llava-agent[gguf]'",
        ) from None


def ask(asked: Asked) -> list[Told]:
    """What llama.cpp answers to each text.

    Raises:
        WeightsError: it cannot load the files, crashes, or does not end.
    """
    try:
        ended = subprocess.run(
            [sys.executable, "-m", __spec__.name],
            input=json.dumps(asdict(asked)), env=child_environment(), capture_output=True, text=True,
            timeout=_PATIENCE, errors="replace",
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise WeightsError(f"llama.cpp did not answer within {_PATIENCE} s") from None
    for line in ended.stdout.splitlines():
        if line.startswith(_MARK):
            return [_told(one) for one in json.loads(line.removeprefix(_MARK))]
    said = [line for line in (ended.stderr + ended.stdout).splitlines() if line.strip()] or ["nothing"]
    raise WeightsError(f"llama.cpp cannot run the files (exit status {ended.returncode}; it said {said[-1]})")


def _told(answer: dict[str, Any]) -> Told:
    steps = answer["choices"][0]["logprobs"]["content"]
    likely = tuple({one["id"]: one["logprob"] for one in step["top_logprobs"]} for step in steps)
    return Told(answer["usage"]["prompt_tokens"], tuple(step["id"] for step in steps), likely)


def _run(asked: dict[str, Any]) -> list[dict[str, Any]]:
    import xllamacpp as llama

    settings = llama.CommonParams()
    settings.model.path, settings.mmproj.path = asked["language"], asked["vision"]
    settings.n_parallel, settings.warmup, settings.fit_params, settings.verbosity = 1, False, False, 0
    settings.n_ctx = 4096
    # Stored keys and values are otherwise rounded to 16 bits, which is no fault of the files.
    settings.cache_type_k = settings.cache_type_v = llama.ggml_type.GGML_TYPE_F32
    settings.flash_attn_type = llama.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    server = llama.Server(settings)
    return [server.handle_chat_completions(_request(asked, text)) for text in asked["texts"]]


def _request(asked: dict[str, Any], text: str) -> dict[str, Any]:
    parts = [{"type": "image_url", "image_url": {"url": asked["image"]}}, {"type": "text", "text": text}]
    return {
        "messages": [{"role": "user", "content": parts}],
        "max_tokens": asked["steps"],
        "temperature": 0,
        "logprobs": True,
        "top_logprobs": asked["top"],
        "cache_prompt": False,
        # A token that is half a character gets no log-probabilities, so what is said is given; the
        # log-probabilities are those of the model all the same.
        "grammar": f'root ::= "{asked["said"]}"',
    }


def _main() -> None:
    answers = _run(json.load(sys.stdin))
    for answer in answers:
        if "error" in answer:
            sys.exit(str(answer["error"].get("message")))
    sys.stdout.write(f"\n{_MARK}{json.dumps(answers)}\n")
    sys.stdout.flush()
    os._exit(0)  # its threads have nothing left to do, and may take long to find that out


if __name__ == "__main__":
    _main()
