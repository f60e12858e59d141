import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.llava.batches import Plan, packing_pays, rate_factor

lengths = st.lists(st.integers(1, 60), min_size=1, max_size=70).map(tuple)


@given(lengths, st.integers(1, 9), st.booleans(), st.integers(1, 3), st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_every_epoch_sees_each_sample_once_over_all_processes_and_within_bounds(
    lengths: tuple[int, ...], batch: int, packed: bool, processes: int, seed: int
) -> None:
    plan = Plan(lengths, batch, 60, packed, seed)
    for epoch in range(2):
        seen = []
        for step in range(epoch * plan.steps_per_epoch, (epoch + 1) * plan.steps_per_epoch):
            for rank in range(processes):
                for micro in plan.micro_batches(step, rank, processes):
                    widths = [sum(lengths[i] for i in line) for line in micro]
                    assert len(micro) * max(widths) <= 60
                    seen += [i for line in micro for i in line]
        assert sorted(seen) == list(range(len(lengths)))


def test_epochs_differ_and_seeds_repeat() -> None:
    plans = [Plan(tuple(range(1, 41)), 4, 100, False, seed) for seed in (0, 0, 1)]
    first, again, other = ([plan.samples(step) for step in range(20)] for plan in plans)
    assert first == again != other
    assert first[:10] != first[10:]


def test_packing_pays_for_lengths_that_differ_and_not_for_equal_ones() -> None:
    mixed = (20,) * 50 + (390,) * 15
    model = {"width": 64, "layers": 2, "parameters": 10_000_000}
    assert packing_pays(mixed, 8, 1600, 0, **model)
    assert not packing_pays((100,) * 128, 4, 400, 0, **model)
    # Where attention is most of the work, one long line costs more than the padding it saves.
    assert not packing_pays(mixed, 8, 1600, 0, width=4096, layers=4, parameters=1000)


def test_rates_rise_and_fall() -> None:
    cosine = [rate_factor(step, 100, 0.1, "cosine") for step in range(100)]
    assert cosine[:10] == pytest.approx([0.1 * (i + 1) for i in range(10)])
    assert cosine[10] == 1 and cosine[-1] < 0.001 and cosine[55] == pytest.approx(0.5)
    assert rate_factor(99, 100, 0.0, "constant") == 1
    assert rate_factor(50, 100, 0.0, "linear") == 0.5
