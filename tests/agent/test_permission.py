"""Rules, approvals and questions: what the model wants is one thing, what is done another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llava_agent.agent.attendant import Proposal, Question, Terminal, Verdict
from llava_agent.agent.control import Control, Waiting
from llava_agent.agent.permission import Deed, Permission, Rule, host_of
from llava_agent.agent.record import Intent
from llava_agent.agent.state import Budget
from llava_agent.agent.supervision import Supervision
from llava_agent.agent.trace import read_records, read_result
from llava_agent.errors import ConfigError
from tests.agent.test_loop import NAME, SAVE, play, steps
from tests.agent.world import ADDRESS, Form
from tests.tools.test_tool import Repeat
from tools.action import Ask, Check, Click, Navigate, Press, Target, ToolCall, Type
from tools.mark import Mark
from tools.observation import Observation, Outcome
from tools.tool import Toolbox

ASKS = Permission(rules=(Rule(name="saving", effects=("irreversible",), decision="ask"),), otherwise="allow")
HOSTS = st.sampled_from(["", "shop.test", "evil.test", "a.shop.test"])
EFFECTS = st.sampled_from(["read", "reversible", "irreversible"])


class Person:
    """Answers and decides as told; remembers what was asked."""

    def __init__(self, approved: bool | None = True, answer: str | None = "blue") -> None:
        self.approved, self.said = approved, answer
        self.proposals: list[Proposal] = []
        self.questions: list[Question] = []
        self.meanwhile: Callable[[], Awaitable[None]] | None = None

    async def approve(self, proposal: Proposal) -> Verdict | None:
        self.proposals.append(proposal)
        if self.meanwhile:
            await self.meanwhile()
        return None if self.approved is None else Verdict(self.approved, proposal.hash, "ada", "not today")

    async def answer(self, question: Question) -> str | None:
        self.questions.append(question)
        return self.said


def under(person: Any = None, permission: Permission = ASKS, **more: Any) -> dict[str, Any]:
    return {"supervision": Supervision(permission, person, **more)}


def test_the_shipped_policy() -> None:
    policy = Permission.read()

    def says(verb: str, effect: Any, target: str = "", host: str = "shop.test", tool: str = "") -> str:
        return policy.rule_on(Deed(verb, effect, host, "shop.test", target, tool)).decision

    assert says("click", "irreversible", '"Submit" button') == "allow"
    assert says("click", "irreversible", '"Submit" button', host="other.test") == "ask"
    assert says("click", "irreversible", '"Delete account" button') == "ask"
    assert says("click", "irreversible", '"Pay now" button') == "ask"
    assert says("type", "reversible", host="other.test") == "allow"
    assert says("tool", "read", tool="calculate") == "allow"
    assert says("tool", "irreversible", tool="ticket.create") == "ask"


@given(HOSTS, HOSTS, EFFECTS, st.sampled_from(["click", "type", "tool", "navigate"]), st.text(max_size=8))
def test_a_deny_first_is_never_overruled_and_no_rule_means_no(
    host: str, start: str, effect: Any, verb: str, target: str
) -> None:
    deed = Deed(verb, effect, host, start, target, "x")
    assert Permission().rule_on(deed).decision == "deny"
    first = Rule(name="no", hosts=(host,) if host else (), decision="deny")
    more = Rule(name="yes", decision="allow")
    assert Permission(rules=(first, more)).rule_on(deed).decision == "deny"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("rules: [{name: a, verbs: [clik], decision: allow}]", "no verb 'clik'"),
        ("rules: [{name: a, target: '(', decision: allow}]", "no regular expression"),
        ("rules: [{name: a, efects: [read], decision: allow}]", "did you mean 'effects'"),
        ("otherwise: perhaps", "otherwise"),
    ],
)
def test_a_wrong_policy_is_one_sentence(text: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(ConfigError, match=problem):
        Permission.read(tmp_path / "p.yaml")


def test_hosts() -> None:
    assert host_of("http://Shop.Test:8000/a") == "shop.test"
    assert host_of("a tool") == "" and host_of("http://[x") == ""
    rule = Rule(name="x", hosts=("*.shop.test",), decision="allow")
    assert rule.fits(Deed("click", "read", "a.shop.test")) and not rule.fits(
        Deed("click", "read", "shop.test")
    )


async def test_an_approved_action_is_done_and_on_record(tmp_path: Path) -> None:
    form, person = Form(), Person()
    result = await play(form, [NAME, SAVE], tmp_path / "run", **under(person))
    assert len(form.filed) == 1 and result.counters.approved == 1
    (proposal,) = person.proposals
    assert proposal.line == 'click "Save" button' and proposal.effect == "irreversible"
    assert proposal.screenshot is not None and proposal.screenshot.is_file()
    permission = steps(result)[1].permission
    assert permission is not None and (permission.by, permission.hash) == ("ada", proposal.hash)
    intent = next(one for one in read_records(result.folder) if isinstance(one, Intent))
    assert intent.approved_by == "ada"


async def test_a_refusal_is_final_for_that_action(tmp_path: Path) -> None:
    form, person = Form(), Person(approved=False)
    result = await play(form, [SAVE, SAVE, NAME], tmp_path / "run", **under(person))
    assert form.filed == [] and len(person.proposals) == 1
    assert result.counters.denied == 2 and form.values["name"] == "Ada"
    assert "ada did not approve it (not today)" in steps(result)[0].outcome_detail


async def test_where_nobody_is_there_the_run_is_blocked(tmp_path: Path) -> None:
    form = Form()
    result = await play(form, [NAME, SAVE, NAME], tmp_path / "run", **under())
    assert (result.status, result.exit_code) == ("blocked", 3) and form.filed == []
    assert 'click "Save" button needs an approval (saving)' in result.reason


async def test_an_approval_for_another_action_is_worth_nothing(tmp_path: Path) -> None:
    class Confused(Person):
        async def approve(self, proposal: Proposal) -> Verdict:
            return Verdict(True, "0" * 64, "ada")

    form = Form()
    result = await play(form, [SAVE], tmp_path / "run", **under(Confused()))
    assert form.filed == [] and "for another action" in steps(result)[0].outcome_detail


async def test_a_page_that_changed_meanwhile_is_not_acted_on(tmp_path: Path) -> None:
    form, person = Form(), Person()

    async def change() -> None:
        form.values["name"] = "Mallory"

    person.meanwhile = change
    result = await play(form, [SAVE], tmp_path / "run", **under(person))
    assert form.filed == [] and steps(result)[0].outcome_reason == "stale"


async def test_waiting_for_a_person_does_not_use_up_the_run(tmp_path: Path) -> None:
    form, person = Form(), Person()
    person.meanwhile = lambda: asyncio.sleep(0.8)
    result = await play(form, [SAVE], tmp_path / "run", budget=Budget(seconds=0.7), **under(person))
    assert len(form.filed) == 1 and result.status == "unverified" and result.spent.seconds < 0.7


@pytest.mark.parametrize("decision", ["deny", "ask"])
async def test_whatever_the_policy_wants_nothing_forbidden_is_done(decision: Any, tmp_path: Path) -> None:
    """A hostile policy tries every way to save; the permission layer decides."""
    form = Form()
    no = Permission(rules=(Rule(name="no", effects=("irreversible",), decision=decision),), otherwise="allow")
    script = [SAVE, Press(key="Enter"), Click(target=Target(ref="save"), count=2), ToolCall(name="x")] * 3
    await play(form, script, tmp_path / "run", **under(Person(approved=False), no))
    assert form.filed == []


async def test_a_tool_is_called_through_the_gate(tmp_path: Path) -> None:
    call = ToolCall(name="repeat", arguments={"word": "hi", "times": 2})
    wrong = ToolCall(name="repeat", arguments={})
    result = await play(Form(), [call, wrong], tmp_path / "run", **under(tools=Toolbox([Repeat()])))
    assert [step.outcome for step in steps(result)][:2] == ["ok", "invalid"]
    assert result.facts[0].line() == "repeat = hi hi"
    assert steps(result)[0].line.startswith("tool repeat")


async def test_an_irreversible_tool_leaves_an_intent(tmp_path: Path) -> None:
    class Files(Repeat):
        def effect(self, arguments: Mapping[str, object]) -> Any:
            return "irreversible"

    call = ToolCall(name="repeat", arguments={"word": "hi"})
    result = await play(Form(), [call], tmp_path / "run", **under(Person(), tools=Toolbox([Files()])))
    assert any(isinstance(record, Intent) for record in read_records(result.folder))
    assert result.counters.approved == 1


async def test_a_question_becomes_a_fact_or_blocks(tmp_path: Path) -> None:
    ask = Ask(question="Which colour?", about="colour")
    person = Person()
    result = await play(Form(), [ask], tmp_path / "a", **under(person))
    assert result.facts[0].line() == "colour = blue" and result.counters.answered == 1
    assert person.questions[0].text == "Which colour?"
    blocked = await play(Form(), [ask], tmp_path / "b", **under())
    assert blocked.status == "blocked" and "Which colour?" in blocked.reason


async def test_the_terminal_shows_the_action_and_takes_y_or_n(tmp_path: Path) -> None:
    said: list[str] = []
    heard = ["n", "y", "blue"]

    def hear(prompt: str) -> str:
        if not heard:
            raise EOFError
        return heard.pop(0)

    terminal = Terminal(said.append, hear)
    proposal = Proposal(
        "r", 1, {"verb": "click"}, 'click "Save" button', ADDRESS, "irreversible", "rule", tmp_path
    )
    refused, approved = await terminal.approve(proposal), await terminal.approve(proposal)
    assert refused is not None and not refused.approved
    assert approved == Verdict(True, proposal.hash, "terminal")
    assert await terminal.answer(Question("r", 1, "Which colour?", "colour")) == "blue"
    assert await terminal.approve(proposal) is None
    shown = "\n".join(said)
    assert 'click "Save" button' in shown and str(tmp_path) in shown and ADDRESS in shown


async def test_a_service_approves_answers_pauses_and_stops(tmp_path: Path) -> None:
    waits: asyncio.Queue[Waiting] = asyncio.Queue()
    control, form = Control(waits.put_nowait), Form()
    control.pause()
    script = [Ask(question="Which colour?"), SAVE, NAME]
    task = asyncio.create_task(play(form, script, tmp_path / "run", **under(None, control=control)))
    await asyncio.sleep(0.1)
    assert control.phase == "paused" and not task.done()
    control.resume()
    question = await waits.get()
    assert control.phase == "waiting" and isinstance(question, Question)
    with pytest.raises(ConfigError, match="no approval"):
        control.decide("x", approved=True, by="ada")
    await asyncio.to_thread(control.reply, "blue")
    proposal = await waits.get()
    assert isinstance(proposal, Proposal)
    with pytest.raises(ConfigError, match="another action"):
        control.decide("x", approved=True, by="ada")
    control.decide(proposal.hash, approved=True, by="ada")
    result = await task
    assert len(form.filed) == 1 and result.facts[0].value == "blue"


async def test_a_stopped_run_leaves_a_report(tmp_path: Path) -> None:
    control = Control()
    control.stop("the user left")
    result = await play(Form(), [NAME, SAVE], tmp_path / "run", **under(None, control=control))
    assert (result.status, result.spent.steps) == ("blocked", 0) and "the user left" in result.reason
    stored = read_result(result.folder)
    assert stored is not None and result.report.exists()


async def test_a_service_that_nobody_answers_blocks_in_time(tmp_path: Path) -> None:
    result = await play(Form(), [SAVE], tmp_path / "run", **under(None, control=Control(seconds=0.05)))
    assert result.status == "blocked"


def test_the_hash_binds_everything() -> None:
    base = {"run": "r", "step": 1, "action": {"verb": "click", "words": "a"}, "address": "http://a/"}

    def made(**changes: Any) -> str:
        given = {**base, **changes}
        return Proposal(given["run"], given["step"], given["action"], "", given["address"], "read", "").hash

    others = [
        made(run="s"), made(step=2), made(address="http://b/"), made(action={"verb": "click", "words": "b"})
    ]  # fmt: skip
    assert len({made(), *others}) == 5 and made() == made()


async def test_a_redrawn_page_costs_no_decision(tmp_path: Path) -> None:
    class Redrawn(Form):
        tries = 0

        async def act(self, action: Any, observation: Observation) -> Outcome:
            self.tries += 1
            if self.tries == 1:
                return Outcome(False, "stale", "the page has changed")
            return await super().act(action, observation)

    form = Redrawn()
    result = await play(form, [NAME], tmp_path / "run")
    assert form.values["name"] == "Ada" and result.counters.retried == 1 and result.counters.refused == 0


async def test_image_tokens_and_money_are_hard_limits(tmp_path: Path) -> None:
    from decimal import Decimal

    for budget, word in ((Budget(image_tokens=0), "image tokens"), (Budget(money=Decimal(0)), "money")):
        result = await play(Form(), [NAME], tmp_path / word, budget=budget)
        assert result.status == "budget" and word in result.reason


def test_marks_of_the_same_form_tell_what_enter_sends() -> None:
    from llava_agent.agent.gate import _target

    field = Mark("form:x/textbox:a", "textbox", "Reason", None, "dom", states=("focused",))
    inside = Mark("form:x/button:d", "button", "Delete account", None, "dom")
    outside = Mark("form:y/button:s", "button", "Search", None, "dom")
    seen = Observation("o", "page", ADDRESS, "t", (field, inside, outside))
    assert _target(Press(key="Enter"), seen) == "Reason Delete account"
    assert _target(Check(target=Target(ref=inside.ref)), seen) == '"Delete account" button'
    assert _target(Navigate(url=ADDRESS), seen) == "" and _target(
        Type(target=Target(text="x"), text="y"), seen
    )
