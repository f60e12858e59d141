"""The report for a person."""

from __future__ import annotations

from collections.abc import Iterator

from llava_agent.bench.decode import DecodeReport, EngineFigures

#: Above this many waiting processes for each core, timings are of the neighbours too.
BUSY = 0.25


def lines(report: DecodeReport) -> Iterator[str]:
    """Plain text, 100 columns: machine, one row an engine, agreement with fp32."""
    machine, settings = report.machine, report.settings
    yield f"{machine.cpu}, {machine.cores} cores, {machine.threads} threads"
    yield f"reads {machine.read_gb_s:.1f} GB/s, multiplies {machine.fp32_gflop_s:.0f} GFLOP/s (fp32)"
    if machine.load > BUSY:
        yield f"the machine was busy ({machine.load:.1f} processes a core): these speeds are too low"
    yield (
        f"{settings.pairs} runs each, interleaved; {settings.prompt_tokens} tokens of prompt, "
        f"{settings.new_tokens} new; median [95 % interval]"
    )
    yield ""
    yield f"{'':14} {'tokens/s':>22} {'first token, ms':>22} {'faster':>20} {'memory':>8} {'load':>7}"
    for engine in report.engines:
        ratio = str(engine.faster) + "x" if engine.faster else "-"
        yield (
            f"{engine.name:14} {engine.tokens_per_s!s:>22} {engine.first_ms!s:>22} {ratio:>20} "
            f"{engine.rss_mb:5.0f} MB {engine.load_s:5.2f} s"
        )
    yield ""
    for engine in report.engines:
        yield _shares(engine)


def _shares(engine: EngineFigures) -> str:
    text = (
        f"{engine.name}: decoding reads at {engine.read_share:.0%} of the machine's bandwidth, "
        f"prefill computes at {engine.compute_share:.0%} of its fp32 limit"
    )
    if engine.parity is None:
        return text
    parity = engine.parity
    return (
        f"{text}; against fp32: cosine of the first logits {parity.cosine_median:.4f} (least "
        f"{parity.cosine_least:.4f}), same first token {parity.same_first:.0%}, "
        f"same text {parity.same_prefix:.0%}"
    )
