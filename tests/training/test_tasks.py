from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from llava_agent.gateway.verbs import POINTING_VERBS, QUOTING_VERBS
from llava_agent.vlm.prompt import ACT_VERBS, ASK_VERBS
from tests.training.screens import icon_files
from training.render.screens.icons import HELD_OUT_ICON_SET, ICON_SETS, concepts
from training.render.screens.kits import KITS
from training.render.screens.page import make_page
from training.tasks.interface import Interface
from training.tasks.mixture import INTERFACES, Sources, steps
from training.tasks.plates import PLATES, with_pixels
from training.tasks.spoken import SPOKEN
from training.tasks.step import Step
from training.tasks.visual import VISUAL

SEEDS = range(40)


def named(makers: dict[Callable[..., object], float]) -> list[object]:
    return [pytest.param(maker, id=maker.__name__) for maker in makers]


def quoted(step: Step) -> str:
    """The characters that a step's quote names, from where it stands."""
    quote = step.quote
    assert quote is not None
    text = {
        "instruction": lambda: step.instruction,
        "fact": lambda: step.facts[quote.index].partition(" = ")[2],
        "candidate": lambda: step.lines[quote.index].quotable,
    }[quote.source]()
    assert 0 <= quote.begin < quote.end <= len(text)
    return text[quote.begin : quote.end]


def check(step: Step) -> None:
    """What holds for every step of every task."""
    assert step.verb in step.verbs
    assert set(step.verbs) <= set(ACT_VERBS if step.kind == "Goal" else ASK_VERBS)
    assert step.target is None or 0 <= step.target < len(step.lines)
    if step.kind == "Goal":
        assert (step.target is not None) == (step.verb in POINTING_VERBS)
    assert (step.quote is not None) == (step.verb in QUOTING_VERBS)
    if step.quote is not None:
        assert quoted(step).strip() == quoted(step) != ""
    for line in step.lines:
        assert line.quotable in line.words
    assert len(step.crops) in (0, len(step.lines))
    assert len(step.words) == len(step.crops)
    assert all(line.region for line in step.lines) == bool(step.crops) or not step.lines


@pytest.mark.parametrize("maker", named(INTERFACES))  # type: ignore[arg-type]
def test_an_episode_does_what_its_steps_say(maker: Callable[[Random], Interface]) -> None:
    for seed in SEEDS:
        ui = maker(Random(seed))
        assert ui.steps[-1].verb == "done"
        for step, after in zip(ui.steps, [*ui.steps[1:], None], strict=True):
            check(step)
            if after is None:
                continue
            said = after.history[-1]
            assert said.startswith(
                {"press": "press Enter", "scroll": "scroll down"}.get(step.verb, step.verb)
            )
            if step.verb in ("type", "select"):
                assert said.startswith(f"{step.verb} {quoted(step)} in ")
            if step.verb == "look":
                assert said == f"look {quoted(step)}"
                assert after.facts[-1].startswith(f"{quoted(step)} = ")


@pytest.mark.parametrize("maker", named(INTERFACES))  # type: ignore[arg-type]
def test_what_is_typed_was_told_or_found(maker: Callable[[Random], Interface]) -> None:
    """No step asks for a value that its prompt does not hold."""
    for seed in SEEDS:
        for step in maker(Random(seed)).steps:
            if step.verb in ("type", "select") and step.quote is not None and step.quote.source == "fact":
                assert quoted(step) in step.facts[step.quote.index].partition(" = ")[2]


@pytest.mark.parametrize("maker", named(PLATES))  # type: ignore[arg-type]
def test_a_reading_is_the_value_behind_its_label(maker: Callable[[Random], Step]) -> None:
    for seed in range(120):
        step = maker(Random(seed))
        check(step)
        if step.verb == "read":
            assert step.quote is not None
            assert (step.quote.source, step.quote.index) == ("candidate", step.target)
            text = step.lines[step.quote.index].quotable
            assert text.endswith(quoted(step))
            assert step.quote.begin == 0 or text[step.quote.begin - 1] in " :"
        if step.verb == "none":
            assert step.target is None
        seen = with_pixels(step, Random(0), [3, 4], [5])
        check(seen)
        dials = {
            crop for crop, line in zip(seen.crops, seen.lines, strict=True) if line.words.startswith("dial")
        }
        assert dials <= {5}


@pytest.mark.parametrize("maker", named(VISUAL))  # type: ignore[arg-type]
def test_a_visual_step_is_about_what_is_shown(maker: Callable[..., Step | None], sources: Sources) -> None:
    made = 0
    for seed in SEEDS:
        for page in sources.pages[:8]:
            step = maker(Random(seed), page)
            if step is None:
                continue
            made += 1
            check(step)
            assert {element.crop for element in page.elements} >= set(step.crops)
            if step.task == "look point":
                assert step.target is not None
                said = step.instruction.split(" the ", 1)[1].split()
                assert set(said) <= set(step.words[step.target].split())
            if step.task == "read looks":
                assert step.quote is not None
                assert quoted(step) == step.lines[step.quote.index].quotable
    assert made > 20


@pytest.mark.parametrize("maker", named(SPOKEN))  # type: ignore[arg-type]
def test_a_spoken_answer_is_true(maker: Callable[..., tuple[Step, str] | None], sources: Sources) -> None:
    made = 0
    for seed in SEEDS:
        for page in sources.pages[:8]:
            found = maker(Random(seed), page)
            if found is None:
                continue
            made += 1
            step, answer = found
            check(step)
            shown = {element.crop: element for element in page.elements}
            if step.task == "colour":
                assert step.target is not None
                assert shown[step.crops[step.target]].colour == answer
            elif step.task == "name":
                assert step.target is not None
                assert shown[step.crops[step.target]].words == answer
            else:
                assert 1 <= int(answer) <= len(step.lines)
    assert made > 20


def test_the_mixture_repeats_itself_exactly_and_has_every_family(sources: Sources) -> None:
    def take(seed: int) -> list[tuple[Step, str]]:
        return list(islice(steps(seed, sources), 800))

    first = take(1)
    assert first == take(1)
    assert first != take(2)
    for step, answer in first:
        check(step)
        assert (step.verb == "say") == bool(answer)
    tasks = {step.task for step, _ in first}
    assert tasks >= {"record", "form", "plate", "look point", "statement"}
    assert any(step.crops for step, _ in first)
    assert any(not step.crops for step, _ in first)


@pytest.fixture
def drawn(tmp_path: Path) -> Iterator[None]:
    with icon_files(tmp_path):
        yield


def test_held_out_kits_and_icons_never_appear_in_training_pages(drawn: None) -> None:
    kept = {kit.name for kit in KITS if kit.held_out}
    assert kept
    for seed in range(150):
        page = make_page(seed)
        assert page.kit.name not in kept
        assert HELD_OUT_ICON_SET not in page.html
        other = make_page(seed, held_out=True)
        assert other.kit.name in kept
        assert not [name for name in ICON_SETS if name != HELD_OUT_ICON_SET and f'id="{name}"' in other.html]


def test_icons_are_found_by_concept_and_drawn_in_the_colour_of_the_text(drawn: None) -> None:
    assert "gear" in concepts()
    page = next(page for seed in range(50) if 'id="lucide"' in (page := make_page(seed)).html)
    assert 'width="9"' not in page.html
    assert 'class="a"' not in page.html
    assert '<svg style="width:100%;height:100%" fill="currentColor">' in page.html or "1.25em" in page.html


def test_a_page_is_the_same_each_time(drawn: None) -> None:
    assert make_page(5) == make_page(5)
    assert make_page(5).html != make_page(6).html
