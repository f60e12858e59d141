"""Whole runs on a tiny model: what they train, leave alone, write down, and survive."""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from llava_agent.errors import ConfigError, ToolError, WeightsError
from llava_agent.vlm.decode import Sampling
from llava_agent.vlm.loading import load_model
from llava_agent.vlm.presets import load_preset
from tests.training.llava.tiny import config
from training.llava import trainer as trainer_module
from training.llava.build import build, preset_of
from training.llava.run import read_resolved, train
from training.llava.settings import read_settings
from training.llava.trainer import Trainer

ROOT = Path(__file__).parents[3]


def run(made: Path, out: Path, *, resume: bool = False, **changes: Any) -> Path:
    train(read_settings(config(made, **changes)), out, resume=resume)
    return out


def metrics(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "projector" / "projector.safetensors")


def test_a_run_learns_and_leaves_a_model_that_can_be_used(made: Path, tmp_path: Path) -> None:
    out = run(made, tmp_path / "run", steps=40, checkpoint_every=100)
    lines = metrics(out)
    assert lines[-1]["loss"] < 0.85 * lines[0]["loss"]
    wanted = {"tokens_per_s", "padding", "supervised", "data_wait", "peak_mb", "rates", "loss", "epoch"}
    assert wanted <= set(lines[0])
    assert 0 < lines[0]["supervised"] < 1 and 0 <= lines[0]["padding"] < 1
    assert (out / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((out / "config.json").read_text())["schedule"] == "cosine"
    packages = json.loads((out / "environment.json").read_text())["packages"]
    assert packages["torch"].split("+")[0] == torch.__version__.split("+")[0]
    data = json.loads((out / "data.json").read_text())
    assert data["samples"] == 12 and data["refused"] == []
    model = load_model(load_preset(str(out / "preset.yaml")))  # type: ignore[arg-type]
    ids = [256, model.placeholder, 9]
    from PIL import Image

    picture = Image.open(made / "images" / "red.png")
    assert len(list(model.generate(ids, [picture], Sampling(max_tokens=3), stop=()))) == 3
    fingerprint = json.loads((out / "projector" / "projector.json").read_text())["fingerprint"]
    assert (fingerprint["step"], fingerprint["data_hash"]) == (40, data["hash"])
    with pytest.raises(ConfigError, match="holds a run"):
        run(made, tmp_path / "run")


CASES: dict[str, dict[str, Any]] = {
    "align": {"rates": {"projector": 0.01}},
    "instruct": {"rates": {"projector": 0.001, "language": 0.001}},
    "lora": {"rates": {"adapter": 0.01, "projector": 0.001}, "lora": {"rank": 2, "alpha": 4, "dropout": 0.1}},
}


@pytest.mark.parametrize("stage", list(CASES))
def test_a_stage_changes_its_parts_and_no_bit_of_the_others(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    seen: dict[str, Any] = {}
    start = Trainer.run

    def watched(self: Trainer) -> None:
        before = {name: value.clone() for name, value in self.model.state_dict().items()}
        start(self)
        after = self.model.state_dict()
        seen["changed"] = {name for name in before if not torch.equal(before[name], after[name])}
        seen["all"] = set(before)

    monkeypatch.setattr(Trainer, "run", watched)
    out = run(made, tmp_path / "run", stage=stage, steps=2, **CASES[stage])

    def part(name: str) -> str:
        return "adapter" if "lora_" in name else name.split(".")[0]

    assert {part(name) for name in seen["changed"]} == set(CASES[stage]["rates"])
    trained = {name for name in seen["all"] if part(name) in CASES[stage]["rates"]}
    assert len(seen["changed"]) >= 0.9 * len(trained)
    again = load_model(load_preset(str(out / "preset.yaml")))  # type: ignore[arg-type]
    assert again.language.hidden_size == 64
    assert (out / "adapter").is_dir() == ("adapter" in CASES[stage]["rates"])
    assert (out / "language").is_dir() == ("language" in CASES[stage]["rates"])


def test_packed_padded_and_split_batches_give_the_same_weights(made: Path, tmp_path: Path) -> None:
    """Token-weighted accumulation: how a batch is cut into micro-batches does not matter."""
    ways: dict[str, dict[str, Any]] = {
        "packed": {"packing": "on"},
        "padded": {"packing": "off"},
        "small": {"packing": "off", "micro_tokens": 200},
        "line": {"packing": "on", "micro_tokens": 200},
    }
    found = {name: weights(run(made, tmp_path / name, steps=3, **way)) for name, way in ways.items()}
    for name in ways:
        for key, value in found["padded"].items():
            torch.testing.assert_close(found[name][key], value, atol=2e-5, rtol=1e-4)


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "llava_agent.cli", "train", *words]


def environment(**extra: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **extra}


def test_killed_at_any_moment_and_resumed_it_ends_with_the_same_bits(made: Path, tmp_path: Path) -> None:
    changes = {"stage": "lora", "steps": 40, "batch": 3, **CASES["lora"]}
    path = config(made, **changes)
    killed = tmp_path / "killed"
    running = subprocess.Popen(
        command(str(path), "--out", str(killed)),
        env=environment(OMP_NUM_THREADS=str(torch.get_num_threads())),
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    while running.poll() is None:
        log = killed / "metrics.jsonl"
        if (killed / "state.pt").exists() and len(log.read_text().splitlines()) >= 3:
            break
        time.sleep(0.001)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert running.returncode == -signal.SIGKILL, "it ended before it could be killed"
    assert not (killed / "preset.yaml").exists()
    heard: list[str] = []
    train(read_resolved(killed), killed, resume=True, note=heard.append)
    assert any("goes on after step" in line for line in heard)
    whole = run(made, tmp_path / "whole", **changes)
    for name in ("projector/projector.safetensors", "adapter/adapter_model.safetensors"):
        assert (killed / name).read_bytes() == (whole / name).read_bytes()
    one, other = metrics(whole), metrics(killed)
    assert [(line["step"], line["loss"]) for line in one] == [(line["step"], line["loss"]) for line in other]


def test_two_processes_see_each_sample_once_and_learn_as_one(made: Path, tmp_path: Path) -> None:
    path = config(made, steps=3, batch=5, packing="off")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    ranks = [
        subprocess.Popen(
            command(str(path), "--out", str(tmp_path / "two")),
            env=environment(
                RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE="2", MASTER_ADDR="127.0.0.1",
                MASTER_PORT=port, ACCELERATE_USE_CPU="true",
            ),
            stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for rank in range(2)
    ]  # fmt: skip
    said = [process.communicate(timeout=200)[1] for process in ranks]
    assert [process.returncode for process in ranks] == [0, 0], said
    one = run(made, tmp_path / "one", steps=3, batch=5, packing="off")
    for mine, theirs in zip(metrics(one), metrics(tmp_path / "two"), strict=True):
        assert mine["loss"] == pytest.approx(theirs["loss"], rel=1e-5)
    for key, value in weights(one).items():
        torch.testing.assert_close(weights(tmp_path / "two")[key], value, atol=1e-5, rtol=1e-4)


def test_a_full_disk_in_the_middle_of_a_checkpoint_keeps_the_old_one(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A limit on the size of files makes the kernel refuse the write half way, as a full disk does."""
    save = Trainer.save
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limited(self: Trainer) -> None:
        if self.step == 4:
            resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, before[1]))
        try:
            save(self)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    monkeypatch.setattr(Trainer, "save", limited)
    path = config(made, stage="lora", steps=6, **CASES["lora"])
    with pytest.raises(ToolError, match=r"cannot be written .*the checkpoint before it is whole"):
        train(read_settings(path), tmp_path / "run")
    monkeypatch.undo()
    assert torch.load(tmp_path / "run" / "state.pt", weights_only=False)["step"] == 2
    assert [one.name for one in (tmp_path / "run").glob("*.partial")] == []
    finished = train(read_settings(path), tmp_path / "run", resume=True)
    assert finished.step == 6


def test_a_projector_of_other_models_is_named(made: Path, tmp_path: Path) -> None:
    out = run(made, tmp_path / "run", steps=1)
    again = run(made, tmp_path / "again", steps=1, start=str(out))
    assert not torch.equal(weights(again)["layers.0.weight"], weights(out)["layers.0.weight"])
    model = json.loads((out / "config.json").read_text())["model"]
    model["tower"]["layer"] = -1
    with pytest.raises(WeightsError, match=r"tower\.layer was -2 in training and is -1 now"):
        run(made, tmp_path / "other", steps=1, start=str(out), model=model)


def test_another_setting_or_other_data_cannot_resume(made: Path, tmp_path: Path) -> None:
    out = run(made, tmp_path / "run", steps=2)
    with pytest.raises(ConfigError, match="another batch"):
        run(made, out, resume=True, steps=2, batch=3)
    from tests.training.llava.tiny import write_data

    own = tmp_path / "own"
    write_data(own, 10)
    data = {"sources": [{"file": str(own / "data.json"), "images": str(own / "images")}], "limit": 200}
    second = run(made, tmp_path / "second", steps=2, data=data)
    write_data(own, 11)
    with pytest.raises(ConfigError, match="saw other data"):
        run(made, second, resume=True, steps=2, data=data)


def test_bad_rows_stop_a_run_above_the_threshold_and_are_counted_below(made: Path, tmp_path: Path) -> None:
    from tests.training.llava.tiny import write_data

    own = tmp_path / "own"
    path = write_data(own)
    rows = json.loads(path.read_text())
    rows[0]["conversations"] = []
    rows[1]["image"] = "gone.png"
    rows[2]["conversations"][0]["value"] += "x" * 300
    path.write_text(json.dumps(rows))
    noise = (own / "images" / "grey.png").read_bytes()
    from PIL import Image

    Image.effect_noise((64, 64), 80).save(own / "images" / "grey.png")
    (own / "images" / "grey.png").write_bytes((own / "images" / "grey.png").read_bytes()[:-900])
    assert noise
    source = {"sources": [{"file": str(path), "images": str(own / "images")}], "limit": 200}
    with pytest.raises(
        ConfigError, match=r"3 of 12 rows .*conversation is empty.*missing.*length limit of 200"
    ):
        run(made, tmp_path / "a", data=source)
    with pytest.raises(ConfigError, match=r"cannot be read, more than allowed: data\.json row \d+ .*damaged"):
        run(made, tmp_path / "b", data=source | {"allow_unusable": 0.25})
    out = run(made, tmp_path / "c", data=source | {"allow_unusable": 0.9}, steps=3)
    assert [one["row"] for one in json.loads((out / "data.json").read_text())["refused"]] == [0, 1, 2]
    assert metrics(out)[-1]["unusable"] > 0


def test_a_loss_that_is_no_number_stops_the_run(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        trainer_module.Trainer, "gradients", lambda self, step, reading, meter: torch.tensor(float("nan"))
    )
    with pytest.raises(ConfigError, match="the loss of step 1 is nan"):
        run(made, tmp_path / "run")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"stage": "align", "rates": {"language": 0.1}}, "needs a rate for projector"),
        ({"stage": "align", "rates": {"projector": 0.1, "language": 0.1}}, "does not train the language"),
        ({"stage": "instruct", "rates": {}}, "at least one of"),
        ({"lora": {"rank": 2}}, "has no adapter"),
        ({"micro_tokens": 100}, "less than data.limit"),
        ({"batchsize": 3}, "'batchsize' is unknown"),
        ({"rates": {"projector": -1.0}}, "greater than 0"),
    ],
)
def test_settings_that_make_no_sense_are_named(made: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read_settings(config(made, **changes))


def test_settings_can_be_changed_by_name(made: Path) -> None:
    path = config(made)
    settings = read_settings(
        path, ["rates.projector=5e-4", "data.limit=64", "data.sources.0.repeat=3", "start=x"]
    )
    assert (settings.rates["projector"], settings.data.limit, settings.data.sources[0].repeat) == (
        5e-4,
        64,
        3,
    )
    for change, said in (
        ("x", "changes nothing"),
        ("batch.x=1", "holds a value"),
        ("bitch=1", "did you mean 'batch'"),
    ):
        with pytest.raises(ConfigError, match=said):
            read_settings(path, [change])


def test_four_bit_training_is_refused_where_gradients_come_through_wrong(made: Path) -> None:
    """They do here once weights were used without gradients: bitsandbytes packs them anew for that."""
    settings = read_settings(config(made, stage="qlora", rates={"adapter": 0.01}))
    with pytest.raises(ConfigError, match=r"cannot train over 4-bit weights on cpu \(the gradient"):
        build(settings, preset_of(settings), "cpu")


def test_four_bit_training_goes_on_where_gradients_are_right(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a CPU kernel that leaves the weights as they are, the trial passes and the adapter is trained."""
    from bitsandbytes.nn.modules import Linear4bit

    def plain(self: Any, given: torch.Tensor) -> torch.Tensor:
        from bitsandbytes.functional import dequantize_4bit

        weight = dequantize_4bit(self.weight.data, self.weight.quant_state)
        return torch.nn.functional.linear(given, weight.to(given.dtype))

    monkeypatch.setattr(Linear4bit, "forward", plain)
    out = run(made, tmp_path / "run", stage="qlora", steps=2, rates={"adapter": 0.01})
    assert load_file(out / "adapter" / "adapter_model.safetensors")
    preset = load_preset(str(out / "preset.yaml"))
    assert preset.language.quantisation == "4-bit"  # type: ignore[union-attr]
