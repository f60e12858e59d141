"""Forms whose values the goal names: filling in, logging in, copying, choosing from a list."""

from __future__ import annotations

from random import Random

from tools.mark import Mark
from training.render.screens.vocabulary import FIRST_NAMES, WORDS
from training.tasks.interface import Interface, mark, noise
from training.tasks.step import Quote
from training.tasks.values import SUBMIT, word_value


def fields_in_goal(rng: Random) -> Interface:
    """Fields named in the goal with their values, then a button."""
    names = rng.sample(WORDS, rng.randint(1, 4))
    if rng.random() < 0.4:
        kinds = ["name", "number", "code", "date", "address", "type"]
        names = [f"{name} {rng.choice(kinds)}" for name in names]
    values = dict(zip(names, [word_value(rng) for _ in names], strict=True))
    goal, submit, ending = _order(rng, values)
    titled = rng.random() < 0.7
    rows = _rows(rng, names, titled)
    marks = [
        *noise(rng, rng.randint(0, 3)),
        *(m for row in rows for m in row),
        mark("button", submit),
        *noise(rng, rng.randint(0, 3)),
    ]
    ui = Interface("form", goal, rng, marks)
    wanted = {name.capitalize() if titled else name: value for name, value in values.items()}
    for index, shown in [(i, m.text) for i, m in enumerate(ui.marks) if m.role == "textbox"]:
        if shown in wanted:  # in the page's order, so that the right next field is never ambiguous
            ui.type(index, wanted[shown], ui.quote(wanted[shown]))
    if ending:
        ui.click(ui.find("button", submit))
        if rng.random() < 0.5:
            head = rng.choice(["Saved", "Thank you", "Your data was saved", "Success"])
            ui.marks = [mark("text", head), *noise(rng, 2)]
    ui.done()
    return ui


def _order(rng: Random, values: dict[str, str]) -> tuple[str, str, str]:
    """A person's order to fill in the values, the button's name, how it is asked for (maybe not at all)."""
    styles = [
        lambda n, v: f'enter "{v}" as {n}',
        lambda n, v: f"type {v} into the {n} field",
        lambda n, v: f'set {n} to "{v}"',
        lambda n, v: f'{n}: "{v}"',
        lambda n, v: f'the {n} "{v}"',
        lambda n, v: f"{n} is {v}",
        lambda n, v: f'fill {n} with "{v}"',
        lambda n, v: f'put "{v}" in the box called {n}',
        lambda n, v: f"{n} = {v}",
        lambda n, v: f"use {v} for {n}",
        lambda n, v: f'"{v}" for "{n}"',
        lambda n, v: f'with "{n}" {v}',
        lambda n, v: f"the {n} should be {v}",
        lambda n, v: f"change {n} to {v}",
        lambda n, v: f'write "{v}" next to {n}',
        lambda n, v: f"{v} is the {n}",
        lambda n, v: f"the {n} box gets {v}",
        lambda n, v: f"{n} ({v})",
    ]
    style, submit = rng.choice(styles), rng.choice(SUBMIT)
    ending = rng.choice(
        [
            f" and click {submit}",
            f', then press "{submit}"',
            f" and press the {submit} button",
            "",
            " and submit the form",
            " and submit",
        ]
    )
    said = list(values.items())
    rng.shuffle(said)
    start = rng.choice(["", "", "Please ", "In the form, "])
    goal = start + rng.choice([", ", " and ", "; "]).join(style(n, v) for n, v in said) + ending
    if goal.startswith(tuple(values.values())):  # a value stays as it is
        return goal, submit, ending
    return goal[0].upper() + goal[1:], submit, ending


def _rows(rng: Random, names: list[str], titled: bool) -> list[list[Mark]]:
    """A text field for each name, some with a label before them, in any order; at times one more."""
    rows: list[list[Mark]] = []
    for name in names:
        shown = name.capitalize() if titled else name
        label = [mark("text", shown)] if rng.random() < 0.35 else []
        rows.append([*label, mark("textbox", shown)])
    rng.shuffle(rows)
    if rng.random() < 0.3:
        rows.append([mark("textbox", rng.choice([word for word in WORDS if word not in names]).capitalize())])
    return rows


def log_in(rng: Random) -> Interface:
    """A name and a password, in fields with and without names of their own."""
    user, secret = rng.choice(FIRST_NAMES).lower(), word_value(rng).replace(" ", "")
    button = rng.choice(["Login", "Log in", "Sign in", "Submit", "Continue"])
    goal = rng.choice(
        [
            f"Log in as {user} with password {secret}",
            f'The user is "{user}" and the secret is "{secret}"; {button.lower()} with them',
            f'Sign in with user name "{user}" and password "{secret}"',
            f"Use {user} / {secret} to log in",
        ]
    )
    names = rng.choice(
        [
            ("Username", "Password"),
            ("User name", "Password"),
            ("", ""),
            ("username", "password"),
            ("Email", "Password"),
        ]
    )
    labels = not names[0] or rng.random() < 0.4
    boxes = [mark("textbox", names[0]), mark("textbox", names[1])]
    marks = [mark("text", "Username"), boxes[0], mark("text", "Password"), boxes[1]] if labels else boxes
    ui = Interface(
        "log in",
        goal,
        rng,
        [*noise(rng, rng.randint(0, 2)), *marks, mark("button", button), *noise(rng, rng.randint(0, 2))],
    )
    first, second = (i for i, m in enumerate(ui.marks) if m.role == "textbox")
    ui.type(first, user, ui.quote(user))
    ui.type(second, secret, ui.quote(secret), secret=rng.random() < 0.4)
    ui.click(ui.find("button", button))
    ui.done()
    return ui


def unnamed_field(rng: Random) -> Interface:
    """One text field without a name, as many plain pages have."""
    value, button = word_value(rng), rng.choice(SUBMIT)
    goal = rng.choice(
        [
            f'"{value}" goes in the empty field, then {button}',
            f'Type "{value}" in the box and click "{button}"',
            f"Write {value} into the input, then {button}",
            f'Search for "{value}"',
        ]
    )
    if goal.startswith("Search"):
        button = rng.choice(["Search", "Go", "Find"])
    role = "searchbox" if goal.startswith("Search") and rng.random() < 0.4 else "textbox"
    ui = Interface(
        "form",
        goal,
        rng,
        [
            *noise(rng, rng.randint(0, 3)),
            mark(role, rng.choice(["", "", "Search", "Text"])),
            mark("button", button),
            *noise(rng, rng.randint(0, 3)),
        ],
    )
    box = next(i for i, m in enumerate(ui.marks) if m.role == role)
    ui.type(box, value, ui.quote(value))
    if goal.startswith("Search") and rng.random() < 0.5:
        ui.marks = [m for m in ui.marks if m.role != "button"]
        ui.press()
    else:
        ui.click(ui.find("button", button))
    ui.done()
    return ui


def copy_text(rng: Random) -> Interface:
    """Text that stands on the page goes into a field."""
    value = word_value(rng)
    role = rng.choice(["text", "text", "heading"])
    button = rng.choice(SUBMIT)
    word = rng.choice(WORDS)
    goal = rng.choice(
        [
            "What stands above belongs in the field as well; then {b}",
            "Type the {w} shown on the page into the field and press {b}",
            "Enter the {w} that you see and click {b}",
        ]
    ).format(b=button, w=word)
    label = mark("text", word.capitalize())
    field = mark("textbox", rng.choice(["", word.capitalize(), "Answer"]))
    ui = Interface(
        "copy",
        goal,
        rng,
        [*noise(rng, rng.randint(0, 1)), label, mark(role, value), field, mark("button", button)],
    )
    source = len(ui.marks) - 3
    ui.type(len(ui.marks) - 2, value, Quote("candidate", source, 0, len(value)))
    ui.click(ui.find("button", button))
    ui.done()
    return ui


def choose_option(rng: Random) -> Interface:
    """A value of a drop-down list, with its options shown as marks or not."""
    options = rng.sample(WORDS, rng.randint(3, 6)) if rng.random() < 0.6 else rng.sample(FIRST_NAMES, 4)
    wanted, name = rng.choice(options), rng.choice(WORDS)
    button = rng.choice(SUBMIT)
    named = rng.random() < 0.7
    goal = rng.choice(
        [
            f"The list should say {wanted}, then {button}"
            if not named
            else f"The {name} list should say {wanted}, then {button}",
            f'Choose "{wanted}" in the drop-down and press {button}',
            f'Set {name} to "{wanted}"' if named else f'Pick "{wanted}" from the list',
        ]
    )
    box = mark("combobox", name.capitalize() if named else "", rng.choice([options[0], None]))
    shown = [mark("option", option) for option in options] if rng.random() < 0.5 else []
    ends = button in goal
    ui = Interface(
        "select",
        goal,
        rng,
        [*noise(rng, rng.randint(0, 3)), box, *shown, mark("button", button), *noise(rng, rng.randint(0, 2))],
    )
    place = next(i for i, m in enumerate(ui.marks) if m.role == "combobox")
    if box.value != wanted:
        ui.select(place, wanted, ui.quote(wanted))
    if ends:
        ui.click(ui.find("button", button))
    ui.done()
    return ui


FORMS = {
    fields_in_goal: 5.0,
    log_in: 2.5,
    unnamed_field: 1.5,
    copy_text: 0.7,
    choose_option: 1.5,
}
