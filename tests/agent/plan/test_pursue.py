"""Where the plan names one mark it is acted on, where none it is searched for; else the model decides."""

from __future__ import annotations

from dataclasses import replace

from llava_agent.agent.decision import Aim
from llava_agent.agent.fact import Fact
from llava_agent.agent.plan.fields import Known
from llava_agent.agent.plan.part import Plan
from llava_agent.agent.plan.pursue import pursue
from llava_agent.agent.plan.read import read_plan
from llava_agent.agent.plan.tick import LEFT_TO_MODEL, served, ticked
from llava_agent.agent.turn import Turn, refused
from llava_agent.agent.verify import Verification
from tools.action import Ask, Click, Drag, Look, Press, Scroll, Select, Target, Type
from tools.geometry import Box
from tools.mark import Mark
from tools.observation import Observation, Outcome


def page(*marks: tuple[str, str] | tuple[str, str, str] | Mark, scroll: float | None = None) -> Observation:
    """A page of marks `(role, text[, states])`, one below the other; refs are `role:text`, counted."""
    made: list[Mark] = []
    for row, one in enumerate(marks):
        if isinstance(one, Mark):
            made.append(one)
            continue
        role, text, *states = one
        alike = sum(mark.role == role and mark.text == text for mark in made)
        ref = f"{role}:{text}" + (f"#{alike + 1}" if alike else "")
        made.append(
            Mark(
                ref,
                role,
                text,
                Box(0, 20 * row, 80, 20 * row + 18),
                "dom",
                states=tuple(" ".join(states).split()),
            )
        )
    return Observation("o", "page", "http://x.test/", "X", tuple(made), scroll=scroll)


def field(name: str, value: str = "", *states: str) -> Mark:
    return Mark(f"textbox:{name}", "textbox", name, Box(0, 0, 80, 18), "dom", value, states)


def held(seen: Observation) -> Turn:
    return Turn(Outcome(True), seen, Verification("held", "page", "the page changed"))


def act(plan: Plan, seen: Observation) -> tuple[object, Plan]:
    """The action of the plan, and the plan after it was verified."""
    pursuit = pursue(plan, seen)
    move, at = pursuit.move, pursuit.plan.at
    if move is None or at is None:
        return None, pursuit.plan
    return move.action, ticked(Aim(pursuit.plan, at, move.note, move.ends), held(seen))


def test_parts_are_done_in_order_and_ticked_by_verification() -> None:
    plan = read_plan('Enter the name "Ann" into the field and press Save')
    seen = page(("button", "Save"), field("Name"), field("Code"))
    action, plan = act(plan, seen)
    assert action == Type(target=Target(ref="textbox:Name"), text="Ann")
    assert plan.ticks == ("held", "open")
    action, plan = act(plan, seen)
    assert action == Click(target=Target(ref="button:Save")) and plan.at is None


def test_what_the_page_shows_as_done_is_ticked_without_an_action() -> None:
    plan = read_plan('Check Cheese and enter the name "Ann" into the field, then press Save')
    seen = page(("checkbox", "Cheese", "checked"), field("Name", "Ann"), ("button", "Save"))
    assert act(plan, seen)[0] == Click(target=Target(ref="button:Save"))


def test_several_marks_are_the_models_choice() -> None:
    move = pursue(
        read_plan("Click the Open button"), page(("button", "Open"), ("button", "Open"), ("link", "X"))
    ).move
    assert move is not None and move.action is None and len(move.marks) == 2
    assert move.make is not None and move.make(move.marks[1]) == Click(target=Target(ref="button:Open#2"))


def test_a_name_that_is_not_there_is_searched_for() -> None:
    plan = read_plan('Click on the link "Fees"')
    action, plan = act(plan, page(("tab", "One", "selected"), ("tab", "Two"), scroll=0.0))
    assert action == Click(target=Target(ref="tab:Two"))
    action, plan = act(plan, page(("tab", "One"), ("tab", "Two", "selected"), ("link", ">"), scroll=0.0))
    assert action == Click(target=Target(ref="tab:One"))
    action, plan = act(plan, page(("link", "About"), ("link", ">"), scroll=0.0))
    assert action == Click(target=Target(ref="link:>"))
    action, plan = act(plan, page(("link", "About"), scroll=0.0))
    assert action == Scroll() and plan.ticks == ("open",)
    action, plan = act(plan, page(("link", "About"), ("link", "Fees"), scroll=1.0))
    assert action == Click(target=Target(ref="link:Fees")) and plan.at is None


def test_rows_are_told_by_the_name_before() -> None:
    seen = page(
        ("text", "@ann"),
        ("button", "Like"),
        ("text", "@bob"),
        ("button", "Like"),
        ("text", "@bob"),
        ("button", "Like"),
    )
    plan = read_plan('Click the "Like" button on all posts by @bob and press Send')
    first, plan = act(plan, seen)
    second, plan = act(plan, seen)
    assert [first, second] == [Click(target=Target(ref=f"button:Like#{n}")) for n in (2, 3)]
    assert pursue(plan, seen).plan.ticks == ("held", "open")


def test_dates_are_chosen_in_the_calendar_that_a_field_opens() -> None:
    plan = read_plan("Select 11/02/2016 as the date and submit")
    closed = field("Date", "", "readonly")
    action, plan = act(plan, page(closed, ("button", "Submit")))
    assert action == Click(target=Target(ref="textbox:Date"))
    december = (("button", "Prev"), ("text", "December"), ("text", "2016"), ("link", "1"), ("link", "2"))
    action, plan = act(plan, page(closed, *december))
    assert action == Click(target=Target(ref="button:Prev"))
    action, plan = act(
        plan, page(closed, ("button", "Prev"), ("text", "November 2016"), ("link", "1"), ("link", "2"))
    )
    assert action == Click(target=Target(ref="link:2")) and plan.ticks[0] == "held"


def test_sliders_lists_sums_and_drags() -> None:
    spinner = Mark("s", "spinbutton", "Size", None, "dom", "3", ("focused",))
    assert act(read_plan("Select 7 with the spinner"), page(spinner))[0] == Press(key="ArrowUp", count=4)
    colours = Mark("c", "combobox", "Colour", None, "dom", "red")
    assert act(read_plan("Choose blue from the list"), page(colours))[0] == Select(
        target=Target(ref="c"), option="blue"
    )
    sum_ = page(("text", "4 x 3 ="), field("Answer"))
    typed = act(read_plan("Solve the problem and type your answer into the textbox"), sum_)[0]
    assert typed == Type(target=Target(ref="textbox:Answer"), text="12")
    rows = page(("text", "Ann"), ("text", "Bob"), ("text", "Eve"))
    assert act(read_plan("Drag Eve to the top"), rows)[0] == Drag(
        target=Target(ref="text:Eve"), to=Target(ref="text:Ann")
    )


def test_where_only_pixels_tell_a_field_is_the_box_at_its_label() -> None:
    def seen(at: str, text: str, *box: float) -> Mark:
        return Mark(at, "region" if at.startswith("box") else "text", text, Box(*box), "pixels")

    name, code = seen("name", "Name", 0, 0, 40, 20), seen("code", "Code", 0, 40, 40, 60)
    beside = [seen("box1", "", 50, 40, 200, 60), seen("box2", "", 50, 0, 200, 20)]
    below = [seen("box3", "", 0, 62, 200, 82), seen("box4", "", 0, 22, 200, 38)]
    for boxes, ref in ((beside, "box2"), (below, "box4")):
        marks = page(name, code, *boxes)
        assert act(read_plan('Type "Ann" in the name field'), marks)[0] == Type(
            target=Target(ref=ref), text="Ann"
        )
    # No label says which: not one of the boxes rather than another.
    assert pursue(read_plan('Type "Ann" in the town field'), page(name, code, *beside)).move is None


def test_a_refusal_leaves_the_part_open_and_patience_ends() -> None:
    plan, seen = read_plan("Click Save, then click Close"), page(("button", "Save"))
    aim = Aim(plan, 0, "button:Save", True)
    assert ticked(aim, refused("covered", "covered", seen)).ticks == ("open", "open")
    unchanged = Turn(Outcome(True), seen, Verification("failed", "page", "the page is as it was"))
    assert ticked(aim, unchanged).ticks == ("tried", "open")
    for _ in range(3):
        plan = ticked(Aim(plan, 0, LEFT_TO_MODEL, False), held(seen))
    assert plan.ticks == ("tried", "open")


def test_the_models_own_steps_are_ticked_too() -> None:
    plan = read_plan("Order the usual. Then click Send")
    seen = page(("button", "Send"), ("button", "Back"))
    aim = served(Click(target=Target(ref="button:Send")), plan, seen)
    assert aim is not None and aim.part == 1
    assert ticked(aim, held(seen)).ticks == ("tried", "held")
    other = served(Click(target=Target(ref="button:Back")), plan, seen)
    assert other is not None and (other.part, other.ends) == (0, False)
    assert pursue(plan, seen).move is None, "a part that is left to the model is not guided"
    assert pursue(replace(plan, ticks=("tried", "open")), seen).move is None


def test_a_value_that_the_goal_only_names_is_looked_for_and_then_asked_of_the_user() -> None:
    plan, seen = read_plan("Enter the order number into the text field and press Save"), page(field("Order"))
    looking = pursue(plan, seen, Known(looks=True)).move
    assert looking is not None and looking.action == Look(question="order number")
    looked = plan.using(looking.note)
    asking = pursue(looked, seen, Known(looks=True)).move
    assert asking is not None and asking.action == Ask(
        question="What is the order number?", about="order number"
    )
    known = Known((Fact("order number", "PO-7", 1.0),))
    typed = pursue(looked.using(asking.note), seen, known).move
    assert typed is not None and typed.action == Type(target=Target(ref="textbox:Order"), text="PO-7")
    unanswered = pursue(plan.using(asking.note), seen).move
    assert unanswered is None, "the user is asked once, then the model decides"
