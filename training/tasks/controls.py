"""Single controls: buttons, links, tabs, boxes, dialogs, rows, pages, dates, things out of view."""

from __future__ import annotations

from random import Random

from tools.mark import Mark
from training.render.screens.vocabulary import ACTIONS, FIRST_NAMES, LAST_NAMES, WORDS
from training.tasks.interface import Interface, mark, noise

_ORDINALS = ("first", "second", "third", "fourth", "fifth")


def click_named(rng: Random) -> Interface:
    """One control that the goal names, among others like it."""
    role = rng.choice(["button", "button", "link", "tab", "menuitem", "option", "radio", "cell", "text"])
    word = {"menuitem": "menu item", "cell": "cell", "text": "word"}.get(role, role)
    pool = [*ACTIONS, *[w.capitalize() for w in WORDS], *WORDS, *FIRST_NAMES, *[str(n) for n in range(1, 40)]]
    names = rng.sample(sorted(set(pool)), rng.randint(2, 10))
    wanted = rng.choice(names)
    goal = rng.choice(
        [
            f'Click on the "{wanted}" {word}.',
            f"Click the {wanted} {word}",
            f'Click on the {word} "{wanted}"',
            f"Press {wanted}",
            f'Click "{wanted}"',
            f"Open {wanted}",
            f"Choose {wanted}",
            f"Follow {wanted}" if role == "link" else f"Select {wanted}",
            f"Please go to {wanted}",
            f'Switch to the tab "{wanted}"' if role == "tab" else f"Hit the {wanted} {word}",
        ]
    )
    same = rng.random() < 0.5
    other = ["button", "link", "tab", "text"]
    marks = [mark(role if same or name == wanted else rng.choice(other), name) for name in names]
    ui = Interface("click", goal, rng, [*noise(rng, rng.randint(0, 3)), *marks])
    ui.click(ui.find(role, wanted))
    if rng.random() < 0.5:
        ui.marks = noise(rng, rng.randint(2, 6))
    ui.done()
    return ui


def same_name(rng: Random) -> Interface:
    """The role decides: a text and a button, or a link and a tab, have the same name."""
    name = rng.choice([*ACTIONS, *WORDS])
    roles = rng.sample(["button", "link", "textbox", "checkbox", "tab", "radio"], 3)
    wanted = roles[0]
    word = {"textbox": "text field", "radio": "radio button"}.get(wanted, wanted)
    goal = rng.choice(
        [
            f'Click on the {word} "{name}"',
            f"Click the {name} {word}",
            f"Focus the {name} {word}" if wanted == "textbox" else f'Press the "{name}" {word}',
        ]
    )
    marks = [mark(role, name) for role in roles]
    rng.shuffle(marks)
    ui = Interface("click", goal, rng, [*noise(rng, rng.randint(0, 3)), *marks])
    ui.click(ui.find(wanted, name))
    ui.done()
    return ui


def ordinal(rng: Random) -> Interface:
    """The second text field, the last button: the order decides."""
    role = rng.choice(["textbox", "button", "link", "checkbox", "option"])
    word = {"textbox": rng.choice(["text field", "textbox", "input"])}.get(role, role)
    count = rng.randint(2, 5)
    which = rng.randrange(count)
    said = rng.choice([_ORDINALS[which], f"{which + 1}{['st', 'nd', 'rd', 'th', 'th'][which]}"])
    if which == count - 1 and rng.random() < 0.4:
        said = "last"
    goal = rng.choice(
        [
            f"Click the {said} {word}",
            f"Put the caret in the {said} {word}" if role == "textbox" else f"Use the {said} {word}",
        ]
    )
    names = rng.sample(WORDS, count)
    marks = [mark(role, "" if role in ("textbox", "checkbox") else name) for name in names]
    if rng.random() < 0.5:
        marks = [
            m for pair in ((n, one) for n, one in zip(noise(rng, count), marks, strict=True)) for m in pair
        ]
        marks = [m for m in marks if m.role == role or m.role in ("text", "heading")]
    ui = Interface("ordinal", goal, rng, marks)
    ui.click([i for i, m in enumerate(ui.marks) if m.role == role][which])
    ui.done()
    return ui


def boxes(rng: Random) -> Interface:
    """Several checkboxes, or one radio button, and a button."""
    radio = rng.random() < 0.35
    role = "radio" if radio else rng.choice(["checkbox", "checkbox", "switch"])
    names = rng.sample([*WORDS, *FIRST_NAMES], rng.randint(3, 7))
    if rng.random() < 0.3:
        names = [
            "".join(
                rng.choices(
                    "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ0123456789", k=rng.randint(3, 7)
                )
            )
            for _ in names
        ]
    wanted = [rng.choice(names)] if radio else rng.sample(names, rng.randint(1, min(4, len(names))))
    button = rng.choice(["Submit", "OK", "Save", "Apply", "Send"])
    listed = (
        ", ".join(wanted[:-1])
        + (" and " if len(wanted) > 1 and rng.random() < 0.5 else ", " if len(wanted) > 1 else "")
        + wanted[-1]
    )
    goal = rng.choice(
        [
            f"{listed} should be on, then {button}",
            f"Check {listed} and press {button}",
            f"Tick {listed}, then {button}",
            f"Turn on {listed}. Then click {button}",
            f'Choose "{listed}" and click "{button}"',
            f"Mark {listed}",
        ]
    )
    labels = rng.random() < 0.35
    rows = [[*([mark("text", name)] if labels else []), mark(role, name)] for name in names]
    ui = Interface(
        "boxes",
        goal,
        rng,
        [*noise(rng, rng.randint(0, 2)), *(m for row in rows for m in row), mark("button", button)],
    )
    on = rng.sample(names, 1) if rng.random() < 0.25 and not radio else []
    ui.marks = [
        mark(m.role, m.text, None, "checked") if m.role == role and m.text in on else m for m in ui.marks
    ]
    for name in names:  # from top to bottom
        if name in wanted and name not in on:
            ui.click(ui.find(role, name))
    if button in goal:
        ui.click(ui.find("button", button))
    ui.done()
    return ui


def sequence(rng: Random) -> Interface:
    """Two or three controls, one after the other."""
    names = rng.sample([*ACTIONS, *WORDS, *[str(n) for n in range(1, 20)]], rng.randint(3, 7))
    order = rng.sample(names, rng.randint(2, 3))
    role = rng.choice(["button", "button", "link", "tab"])
    goal = rng.choice(
        [
            "Click " + ", then click ".join(f'"{name}"' if rng.random() < 0.5 else name for name in order),
            "In this order: " + ", ".join(order),
            "First press " + ", then ".join(order),
        ]
    )
    ui = Interface(
        "sequence", goal, rng, [*noise(rng, rng.randint(0, 2)), *[mark(role, name) for name in names]]
    )
    for name in order:
        ui.click(ui.find(role, name))
    ui.done()
    return ui


def dialog(rng: Random) -> Interface:
    """Close, confirm or dismiss something that lies over the page."""
    words = mark("text", " ".join(rng.sample(WORDS, rng.randint(3, 7))).capitalize())
    goal, name = rng.choice(
        [
            ("Close the dialog", "Close"),
            ("Get rid of the notice", "x"),
            ("Close the window", "×"),
            ("Dismiss the message", "Dismiss"),
            ("Accept the message", "OK"),
            ("Confirm the dialog", "Confirm"),
            ("Cancel the dialog", "Cancel"),
            ("Close the popup", "X"),
            ("Leave the dialog without saving", "Cancel"),
        ]
    )
    others = [
        mark("button", other)
        for other in rng.sample(["Help", "Details", "Later", "More", "Save", "Print"], rng.randint(0, 2))
    ]
    parts = [mark("button", name), *others]
    rng.shuffle(parts)
    ui = Interface("dialog", goal, rng, [*noise(rng, rng.randint(0, 3)), mark("dialog", ""), words, *parts])
    ui.click(ui.find("button", name))
    ui.marks = noise(rng, rng.randint(1, 4))
    ui.done()
    return ui


def behind(rng: Random) -> Interface:
    """What is wanted is not shown yet: sections or tabs are opened until it is, or the section is named."""
    role = rng.choice(["tab", "button", "heading"])
    sections = [
        f"{rng.choice(['Section', 'Tab', 'Part'])} {i + 1}"
        if rng.random() < 0.5
        else rng.choice(WORDS).capitalize() + f" {i + 1}"
        for i in range(rng.randint(2, 4))
    ]
    inner = [rng.sample(WORDS, rng.randint(2, 4)) for _ in sections]
    place = rng.randrange(len(sections))
    wanted = rng.choice(inner[place])
    named = rng.random() < 0.4
    if named:
        goal = rng.choice(
            [
                f'Expand "{sections[place]}" and click the link "{wanted}"',
                f"Open {sections[place]}, then click {wanted}",
            ]
        )
    else:
        goal = rng.choice(
            [
                f"{wanted} is in one of the parts: open it",
                f"Look through the parts for {wanted}",
                f"Find {wanted} and click it",
            ]
        )
    heads = [mark(role, name) for name in sections]
    ui = Interface("behind", goal, rng, list(heads))
    tried = [place] if named else range(place + 1)
    for i in tried:
        if i == 0 and not named and rng.random() < 0.5 and place > 0:
            # The first one is open already.
            ui.marks = _opened(heads, role, 0, inner[0])
            continue
        ui.click(next(k for k, m in enumerate(ui.marks) if m.text == sections[i] and m.role == role))
        ui.marks = _opened(heads, role, i, inner[i])
    ui.click(ui.find("link", wanted))
    ui.done()
    return ui


def _opened(heads: list[Mark], role: str, index: int, inner: list[str]) -> list[Mark]:
    """The marks with one section open: its links stand below it, those of a tab below all tabs."""
    state = "selected" if role == "tab" else "expanded"
    links = [mark("link", word) for word in inner]
    marks = [mark(role, head.text, None, state) if i == index else head for i, head in enumerate(heads)]
    at = len(marks) if role == "tab" else index + 1
    return [*marks[:at], *links, *marks[at:]]


def rows(rng: Random) -> Interface:
    """A list whose rows have the same buttons: the row is named in the goal."""
    people = rng.sample(FIRST_NAMES, rng.randint(2, 4))
    verbs = rng.sample(
        ["Delete", "Reply", "Forward", "Like", "Share", "Edit", "Open", "Archive", "Star", "Quote"],
        rng.randint(1, 3),
    )
    person, verb = rng.choice(people), rng.choice(verbs)
    thing = rng.choice(["message", "mail", "post", "entry", "row", "comment", "contact"])
    goal = rng.choice(
        [
            f"{verb} the {thing} from {person}",
            f'Click the "{verb.lower()}" button of {person}',
            f"{verb} the {thing} by {person}",
            f"{verb} {person}'s {thing}",
        ]
    )
    role = rng.choice(["button", "link"])
    marks: list[Mark] = []
    for name in people:
        shown = rng.choice([name, f"{name} {rng.choice(LAST_NAMES)}", f"@{name.lower()}"])
        marks += [
            mark("text", shown),
            mark("text", " ".join(rng.sample(WORDS, 3))),
            *[mark(role, v) for v in verbs],
        ]
    ui = Interface("rows", goal, rng, marks)
    ui.click(people.index(person) * (2 + len(verbs)) + 2 + verbs.index(verb))
    ui.done()
    return ui


def pages(rng: Random) -> Interface:
    """Go to a page of results, or look on until the wanted entry is there."""
    last = rng.randint(3, 6)
    numbers = [mark("link", str(n)) for n in range(1, last + 1)]
    arrows = [mark("link", "<"), *numbers, mark("link", ">")] if rng.random() < 0.5 else numbers
    results = [
        mark("link", f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}") for _ in range(rng.randint(2, 4))
    ]
    if rng.random() < 0.5:
        wanted = str(rng.randint(2, last))
        ui = Interface(
            "pages",
            rng.choice([f"Go to page {wanted}", f"Open page {wanted} of the results"]),
            rng,
            [*results, *arrows],
        )
        ui.click(ui.find("link", wanted))
        ui.done()
        return ui
    name = f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}"
    ui = Interface(
        "pages",
        rng.choice([f"Find {name} in the results and click on it", f'Open the entry "{name}"']),
        rng,
        [*results, *arrows],
    )
    if not any(m.text == ">" for m in ui.marks):
        ui.marks.append(mark("link", "Next"))
    ui.click(next(i for i, m in enumerate(ui.marks) if m.text in (">", "Next")))
    fresh = [mark("link", f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}") for _ in range(2)] + [
        mark("link", name)
    ]
    rng.shuffle(fresh)
    ui.marks = [*fresh, *ui.marks[len(results) :]]
    ui.click(ui.find("link", name))
    ui.done()
    return ui


def out_of_view(rng: Random) -> Interface:
    """Nothing in view fits and the page goes on below: scroll."""
    name = rng.choice(ACTIONS)
    role = rng.choice(["button", "link"])
    other = [m for m in noise(rng, rng.randint(4, 9)) if m.text != name]
    ui = Interface(
        "scroll",
        rng.choice(
            [f"Click the {name} {role}", f'Find "{name}" and click it', f"Press {name} at the bottom"]
        ),
        rng,
        other,
        scrolls=True,
    )
    below = [m for m in noise(rng, rng.randint(2, 6)) if m.text != name]
    below.insert(rng.randint(0, len(below)), mark(role, name))
    ui.scroll(below, more=rng.random() < 0.3)
    ui.click(ui.find(role, name))
    ui.done()
    return ui


def date(rng: Random) -> Interface:
    """A date that is typed, or a day that is chosen in an open calendar."""
    month, day, year = rng.randint(1, 12), rng.randint(1, 28), rng.randint(2010, 2027)
    said = f"{month:02d}/{day:02d}/{year}"
    button = rng.choice(["Submit", "OK", "Search"])
    goal = rng.choice(
        [
            f"The date is {said}; then {button.lower()}",
            f"Set the date to {said} and click {button}",
            f"Enter {said} as the date, then {button}",
        ]
    )
    box = mark("textbox", rng.choice(["Date", "", "Date"]))
    ui = Interface("date", goal, rng, [mark("text", "Date"), box, mark("button", button)])
    if rng.random() < 0.5:
        ui.type(1, said, ui.quote(said))
    else:
        ui.click(1)
        days = [mark("link", str(n)) for n in range(1, 29)]
        ui.marks = [
            *ui.marks,
            mark("link", "Prev"),
            mark("link", "Next"),
            mark("text", f"{month:02d}/{year}"),
            *days,
        ]
        ui.click(ui.find("link", str(day)))
        ui.marks = [ui.marks[0], mark("textbox", box.text, said), ui.marks[2]]
    ui.click(ui.find("button", button))
    ui.done()
    return ui


CONTROLS = {
    click_named: 3.0,
    same_name: 1.0,
    ordinal: 1.0,
    boxes: 2.0,
    sequence: 1.2,
    dialog: 0.8,
    behind: 1.3,
    rows: 1.3,
    pages: 0.8,
    out_of_view: 0.8,
    date: 0.8,
}
