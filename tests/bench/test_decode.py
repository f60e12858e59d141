import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import LlamaForCausalLM

from llava_agent.bench import decode
from llava_agent.bench.client import Worker
from llava_agent.bench.decode import PEER, Settings, bench_decode
from llava_agent.bench.machine import measure_machine
from llava_agent.bench.statistics import median_interval
from llava_agent.bench.table import lines
from llava_agent.bench.work import model_work
from llava_agent.errors import ToolError, WeightsError
from tests.vlm.built_models import Built

FEW = Settings(pairs=2, warm_ups=1, prompt_tokens=16, new_tokens=5, parity_tokens=4, threads=1)


def test_engines_are_compared_and_timed_beside_transformers(
    built: Built, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decode, "TEXTS", decode.TEXTS[:2])
    report = bench_decode({"fp32": built.fp32}, built.source, FEW)
    assert [engine.name for engine in report.engines] == [PEER, "fp32"]
    peer, ours = report.engines
    assert peer.parity is None
    assert peer.faster is None
    assert ours.parity is not None
    assert ours.parity.cosine_least > 0.999
    assert (ours.parity.same_first, ours.parity.same_prefix) == (1.0, 1.0)
    assert ours.faster is not None
    for engine in report.engines:
        assert engine.tokens_per_s.low <= engine.tokens_per_s.median <= engine.tokens_per_s.high
        assert engine.rss_mb > 10
        assert engine.read_share > 0
        assert engine.compute_share > 0
    assert json.loads(json.dumps(asdict(report)))["settings"]["pairs"] == 2
    text = "\n".join(lines(report))
    assert "transformers" in text
    assert "same first token 100%" in text
    assert "busy" in "\n".join(lines(replace(report, machine=replace(report.machine, load=3.0))))


def test_an_engine_with_other_weights_is_not_timed(
    built: Built, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(decode, "TEXTS", decode.TEXTS[:1])
    model = LlamaForCausalLM.from_pretrained(built.source)
    for layer in model.model.layers:
        layer.mlp.down_proj.weight.data.neg_()
    model.save_pretrained(tmp_path)
    with pytest.raises(WeightsError, match="does not compute"):
        bench_decode({"other": built.fp32}, tmp_path, FEW)


def test_a_worker_that_dies_says_why(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="holds no built decoder"):
        Worker("onnx", tmp_path / "absent", 1, tmp_path / "log")


def test_the_work_of_a_model_is_counted_from_its_real_matrices(built: Built) -> None:
    model = LlamaForCausalLM.from_pretrained(built.source)
    linear = sum(weight.numel() for name, weight in model.named_parameters() if "proj" in name)
    head = model.lm_head.weight.numel()
    work = model_work(built.source, None)
    assert (work.linear_weights, work.head_weights) == (linear, head)
    assert work.weight_bytes == 4 * (linear + head)
    assert work.bytes_per_token(10) == work.weight_bytes + 10 * 2 * 2 * 2 * 16 * 4
    assert work.prefill_flop(3) == 2 * (3 * linear + head)
    assert linear + head < model_work(built.source, built.int8).weight_bytes < 2 * (linear + head)


def test_the_machine_is_measured() -> None:
    machine = measure_machine(2)
    assert machine.read_gb_s > 0.1
    assert machine.fp32_gflop_s > 0.1
    assert machine.cores >= 1


@given(st.lists(st.floats(0.1, 1e6), min_size=1, max_size=30))
def test_an_interval_holds_its_median_and_stays_within_the_values(values: list[float]) -> None:
    interval = median_interval(values)
    assert interval.median == float(np.median(values))
    assert min(values) <= interval.low <= interval.median <= interval.high <= max(values)
    assert median_interval(values) == interval


def test_a_median_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="needs a value"):
        median_interval([])
