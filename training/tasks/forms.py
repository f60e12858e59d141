"""Forms: logging in, filling in, filing a record from a photo, and the same through an API's arguments."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from tools.mark import Mark
from training.render.screens.vocabulary import FIRST_NAMES, LAST_NAMES, WORDS
from training.tasks.interface import Interface, mark, noise
from training.tasks.step import Quote

_SUBMIT = ("Submit", "Save", "OK", "Send", "Create", "Create ticket", "Submit ticket", "Save record", "File report",
           "Continue", "Add", "Register", "Finish", "Done")  # fmt: skip


def word_value(rng: Random) -> str:
    """Something that people type: a name, a word, a number, a code, an address."""
    return rng.choice(
        [
            rng.choice(FIRST_NAMES),
            f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}",
            rng.choice(WORDS),
            str(rng.randint(1, 99999)),
            code(rng),
            f"{rng.choice(FIRST_NAMES).lower()}@{rng.choice(WORDS)}.com",
            f"{rng.randint(0, 999)}.{rng.randint(0, 9)}",
            " ".join(rng.sample(WORDS, rng.randint(2, 4))),
            "".join(rng.choices("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789", k=rng.randint(3, 8))),
        ]
    )


def code(rng: Random) -> str:
    """A serial number, asset tag or model name."""
    letters = "".join(rng.choices("ABCDEFGHJKLMNPQRSTUVWXYZ", k=rng.randint(1, 4)))
    digits = "".join(rng.choices("0123456789", k=rng.randint(2, 7)))
    return rng.choice([f"{letters}-{digits}", f"{letters}{digits}", digits, f"{letters}-{digits[:2]}-{digits[2:] or '0'}",
                       f"{letters} {digits}", f"{digits[:3]}-{letters}"])  # fmt: skip


def fields_in_goal(rng: Random) -> Interface:
    """Fields named in the goal with their values, then a button."""
    names = rng.sample(WORDS, rng.randint(1, 4))
    if rng.random() < 0.4:
        names = [
            f"{name} {rng.choice(['name', 'number', 'code', 'date', 'address', 'type'])}" for name in names
        ]
    values = [word_value(rng) for _ in names]
    styles = [
        lambda n, v: f'enter "{v}" as {n}', lambda n, v: f"type {v} into the {n} field", lambda n, v: f'set {n} to "{v}"',
        lambda n, v: f'{n}: "{v}"', lambda n, v: f'the {n} "{v}"', lambda n, v: f"{n} is {v}", lambda n, v: f'fill {n} with "{v}"',
    ]  # fmt: skip
    style = rng.choice(styles)
    submit = rng.choice(_SUBMIT)
    ending = rng.choice([f" and click {submit}", f', then press "{submit}"', f" and press the {submit} button", "", " and submit the form", " and submit"])  # fmt: skip
    said = list(zip(names, values, strict=True))
    rng.shuffle(said)
    goal = rng.choice(["", "", "Please ", "In the form, "]) + rng.choice([", ", " and ", "; "]).join(style(n, v) for n, v in said) + ending  # fmt: skip
    goal = goal[0].upper() + goal[1:]
    titled = rng.random() < 0.7
    rows: list[list[Mark]] = []
    for name in names:
        shown = name.capitalize() if titled else name
        label = [mark("text", shown)] if rng.random() < 0.35 else []
        rows.append([*label, mark("textbox", shown)])
    rng.shuffle(rows)
    if rng.random() < 0.3:
        rows.append([mark("textbox", rng.choice([word for word in WORDS if word not in names]).capitalize())])
    ui = Interface("form", goal, rng, [*noise(rng, rng.randint(0, 3)), *sum(rows, []), mark("button", submit), *noise(rng, rng.randint(0, 3))])  # fmt: skip
    wanted = {name.capitalize() if titled else name: value for name, value in said}
    for index, shown in [(i, m.text) for i, m in enumerate(ui.marks) if m.role == "textbox"]:
        if shown in wanted:  # in the page's order, so that the right next field is never ambiguous
            ui.type(index, wanted[shown], ui.quote(wanted[shown]))
    if ending:
        ui.click(ui.find("button", submit))
        if rng.random() < 0.5:
            ui.marks = [
                mark("text", rng.choice(["Saved", "Thank you", "Your data was saved", "Success"])),
                *noise(rng, 2),
            ]
    ui.done()
    return ui


def log_in(rng: Random) -> Interface:
    user, secret = rng.choice(FIRST_NAMES).lower(), word_value(rng).replace(" ", "")
    button = rng.choice(["Login", "Log in", "Sign in", "Submit", "Continue"])
    goal = rng.choice(
        [
            f'Log in as {user} with password {secret}',
            f'Enter the username "{user}" and the password "{secret}" into the text fields and press {button.lower()}',
            f'Sign in with user name "{user}" and password "{secret}"',
            f"Use {user} / {secret} to log in",
        ]
    )  # fmt: skip
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
    ui = Interface("log in", goal, rng, [*noise(rng, rng.randint(0, 2)), *marks, mark("button", button), *noise(rng, rng.randint(0, 2))])  # fmt: skip
    first, second = (i for i, m in enumerate(ui.marks) if m.role == "textbox")
    ui.type(first, user, ui.quote(user))
    ui.type(second, secret, ui.quote(secret), secret=rng.random() < 0.4)
    ui.click(ui.find("button", button))
    ui.done()
    return ui


def unnamed_field(rng: Random) -> Interface:
    """One text field without a name, as many plain pages have."""
    value, button = word_value(rng), rng.choice(_SUBMIT)
    goal = rng.choice(
        [
            f'Enter "{value}" into the text field and press {button}.',
            f'Type "{value}" in the box and click "{button}"',
            f"Write {value} into the input, then {button}",
            f'Search for "{value}"',
        ]
    )
    if goal.startswith("Search"):
        button = rng.choice(["Search", "Go", "Find"])
    role = "searchbox" if goal.startswith("Search") and rng.random() < 0.4 else "textbox"
    ui = Interface("form", goal, rng, [*noise(rng, rng.randint(0, 3)), mark(role, rng.choice(["", "", "Search", "Text"])), mark("button", button), *noise(rng, rng.randint(0, 3))])  # fmt: skip
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
    button = rng.choice(_SUBMIT)
    word = rng.choice(WORDS)
    goal = rng.choice(
        [
            "Copy the text above into the text field and press {b}",
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
    button = rng.choice(_SUBMIT)
    named = rng.random() < 0.7
    goal = rng.choice(
        [
            f"Select {wanted} from the list and click {button}." if not named else f"Select {wanted} from the {name} list and click {button}.",
            f'Choose "{wanted}" in the drop-down and press {button}',
            f'Set {name} to "{wanted}"' if named else f'Pick "{wanted}" from the list',
        ]
    )  # fmt: skip
    box = mark("combobox", name.capitalize() if named else "", rng.choice([options[0], None]))
    shown = [mark("option", option) for option in options] if rng.random() < 0.5 else []
    ends = button in goal
    ui = Interface("select", goal, rng, [*noise(rng, rng.randint(0, 3)), box, *shown, mark("button", button), *noise(rng, rng.randint(0, 2))])  # fmt: skip
    place = next(i for i, m in enumerate(ui.marks) if m.role == "combobox")
    if box.value != wanted:
        ui.select(place, wanted, ui.quote(wanted))
    if ends:
        ui.click(ui.find("button", button))
    ui.done()
    return ui


#: What nameplates and gauges say, with the words that people and forms use for it.
READINGS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("serial", ("serial number", "serial no", "serial", "S/N")),
    ("model", ("model", "model number", "type", "model name")),
    ("asset", ("asset tag", "asset number", "asset", "tag", "equipment ID", "inventory number")),
    ("pressure", ("pressure", "pressure reading", "gauge reading", "operating pressure")),
    ("manufacturer", ("manufacturer", "maker", "brand")),
    ("year", ("year", "year built", "year of manufacture")),
    ("power", ("power", "rated power", "motor power")),
    ("voltage", ("voltage", "rated voltage")),
    ("temperature", ("temperature", "temperature reading")),
    ("flow", ("flow", "flow rate")),
    ("meter", ("meter reading", "counter reading", "reading", "operating hours")),
)  # fmt: skip


def _reading(rng: Random, key: str) -> str:
    number = f"{rng.randint(0, 99)}.{rng.randint(0, 9)}" if rng.random() < 0.6 else str(rng.randint(1, 400))
    unit = {"pressure": ["bar", "psi", "kPa", ""], "power": ["kW", "W", "HP"], "voltage": ["V", "VAC"], "flow": ["m3/h", "l/min"],
            "temperature": ["°C", "C", "°F"], "meter": ["", "h", "kWh", "m3"]}  # fmt: skip
    if key in unit:
        return f"{number} {rng.choice(unit[key])}".strip()
    if key == "year":
        return str(rng.randint(1985, 2026))
    if key == "manufacturer":
        return rng.choice([f"{rng.choice(LAST_NAMES)} {rng.choice(['Pumps', 'Werke', 'GmbH', 'Industries', 'AG', 'Motors'])}", rng.choice(LAST_NAMES).upper()])  # fmt: skip
    return code(rng)


_NOTES = (
    "condition",
    "description",
    "note",
    "remarks",
    "problem",
    "comment",
    "observation",
    "defect",
    "finding",
    "fault",
)
_OTHERS = ("location", "reporter", "department", "building", "contact")


def _form_label(rng: Random, said: str, names: tuple[str, ...]) -> str:
    name = said if rng.random() < 0.6 else rng.choice(names)
    return rng.choice([name, name.capitalize(), name.title()])


def record_from_photo(rng: Random) -> Interface:
    """Look for each reading in the photo, open the form, fill it, choose, tick, submit: the product's main job."""
    api = rng.random() < 0.35
    keys = rng.sample(READINGS, rng.randint(1, 4))
    said = [rng.choice(names) for _, names in keys]
    values = [_reading(rng, key) for key, _ in keys]
    thing = rng.choice(
        ["pump", "compressor", "motor", "boiler", "valve", "meter", "machine", "generator", "fan", "tank"]
    )
    record = rng.choice(
        [
            "ticket",
            "maintenance ticket",
            "record",
            "work order",
            "report",
            "inspection",
            "service request",
            "defect",
        ]
    )
    level = rng.choice(["low", "normal", "high", "urgent", "medium"]) if rng.random() < 0.6 else ""
    note = _remark(rng) if rng.random() < 0.55 else ""
    noted = rng.choice(_NOTES)
    tick = (
        rng.choice(["machine stopped", "needs spare part", "safety risk", "under warranty", "photo attached"])
        if rng.random() < 0.35 and not api
        else ""
    )
    listed = ", ".join(said[:-1]) + (" and " if len(said) > 1 else "") + said[-1]
    goal = rng.choice(
        [
            f"File a {record} for the {thing} with the {listed} from the photo",
            f"Create a {record} with {listed} as shown in the photo",
            f"Read the {listed} from the photo of the {thing} and file a {record}",
            f"Look at the photo and enter {listed} in a new {record}",
            f"Open a new {record} for this {thing}. Take the {listed} from the photo",
        ]
    )
    if level:
        goal += rng.choice(
            [
                f", with priority {level}",
                f", priority {level}",
                f'. Set the priority to "{level}"',
                f", {level} priority",
            ]
        )
    if note:
        goal += rng.choice(
            [
                f', and the {noted} "{note}"',
                f'. {noted.capitalize()}: "{note}"',
                f', {noted} "{note}"',
                f', with "{note}" as the {noted}',
                f", and {noted} {note}",
            ]
        )
    if tick:
        goal += rng.choice([f". Tick {tick}", f", tick that {tick}", f". Mark {tick}", f', check "{tick}"'])
    if rng.random() < 0.5:
        goal += rng.choice([", and submit it", ". Submit it", ", then send it", ". Then submit the form"])
    ui = Interface(
        "record", goal, rng, _front(rng, record, api), photos=True, surface="api" if api else "page"
    )
    if rng.random() < 0.15:  # some of it may be known already
        ui.facts.append(f"{said[0]} = {values[0]}")
    for name, value in zip(said, values, strict=True):
        if f"{name} = {value}" not in ui.facts:
            ui.look(name, value)
    _open_and_fill(
        ui,
        rng,
        record,
        api,
        list(zip(said, values, [names for _, names in keys], strict=True)),
        level,
        (noted, note),
        tick,
    )
    return ui


def _front(rng: Random, record: str, api: bool) -> list[Mark]:
    """What stands before the form: a list with a link to a new record, or the operations of an API."""
    if api:
        return _operations(rng, record)
    new = rng.choice(
        [f"New {record}", f"Create {record}", f"Add {record}", f"New {record.split()[-1]}", "New", "Create"]
    )
    rows = [mark("link", f"#{rng.randint(1, 99)} {code(rng)}") for _ in range(rng.randint(0, 3))]
    head = [mark("link", rng.choice([f"All {record}s", "Home", "Overview"])), mark("link", new)]
    rng.shuffle(head)
    search = [mark("searchbox", "Search"), mark("button", "Search")] if rng.random() < 0.4 else []
    return [*head, *search, mark("heading", f"{record.capitalize()}s"), *rows, *noise(rng, rng.randint(0, 2))]


def _operations(rng: Random, record: str) -> list[Mark]:
    noun = record.split()[-1]
    verbs = [
        (
            "create",
            [
                f"create{noun.capitalize()}: Create a {noun}",
                f"create_{noun}",
                f"Create {noun}",
                f"Create a {record}",
            ],
        ),
        (
            "find",
            [
                f"list{noun.capitalize()}s: List {noun}s",
                f"search_{noun}s",
                f"Find {noun}s",
                f"Find {record}s",
                f"List {noun}s",
            ],
        ),
        (
            "show",
            [
                f"get{noun.capitalize()}: Get one {noun}",
                f"read_{noun}",
                f"Show {noun}",
                f"Get a {record} by its number",
            ],
        ),
        (
            "other",
            [
                f"delete{noun.capitalize()}: Delete a {noun}",
                "health: Service health",
                f"update_{noun}",
                f"Delete {noun}",
            ],
        ),
    ]
    kept = verbs if rng.random() < 0.6 else verbs[:3]
    operations = [mark("operation", rng.choice(names)) for _, names in kept]
    rng.shuffle(operations)
    return operations


def _open_and_fill(
    ui: Interface,
    rng: Random,
    record: str,
    api: bool,
    readings: list[tuple[str, str, tuple[str, ...]]],
    level: str,
    remark: tuple[str, str],
    tick: str,
) -> None:
    """Open the form, fill it from top to bottom, and submit."""
    role = "argument" if api else "textbox"
    ui.click(next(i for i, m in enumerate(ui.marks) if _opens(m)))
    rows: list[list[Mark]] = []
    todo: dict[str, tuple[str, str]] = {}  # label -> (what to do, value)
    for said, value, names in readings:
        label, typed = _label_and_value(rng, _form_label(rng, said, names), value)
        label = label.lower() if api else label
        rows.append([mark(role, label)])
        todo[label] = ("type", typed)
    if rng.random() < 0.5:
        rng.shuffle(rows)
    noted, note = remark
    extra = [[mark(role, w if api else w.capitalize())] for w in rng.sample(_OTHERS, rng.randint(0, 2))]
    if level or rng.random() < 0.4:
        extra.append(_priority(rng, api))
        todo["priority"] = ("type" if api else "select", level)
    if note or rng.random() < 0.3:
        extra.append([mark(role, noted if api else noted.capitalize())])
        todo[extra[-1][0].text] = ("type", note)
    if tick or rng.random() < 0.3:
        extra.append([mark("checkbox", (tick or "notify me").capitalize())])
        todo[extra[-1][0].text] = ("click", tick)
    submit = "send" if api else rng.choice(_SUBMIT)
    rows = shuffled_rows(rng, rows, extra)
    front = [] if api else [*ui.marks[: rng.randint(0, 3)], mark("heading", f"New {record}")]
    last = [mark("button", submit), mark("button" if api else "link", "back" if api else "Cancel")]
    ui.marks = [*front, *(m for row in rows for m in row), *last]
    if rng.random() < 0.4:
        ui.require()
    _fill(ui, len(front), todo)
    ui.click(ui.find("button", submit))
    _saved(ui, rng, record, api, readings)
    ui.done()


def _fill(ui: Interface, start: int, todo: dict[str, tuple[str, str]]) -> None:
    """Do what is to be done on each field, from top to bottom."""
    for index in range(start, len(ui.marks)):
        field = ui.marks[index]
        if field.role in ("button", "link", "option"):
            continue
        verb, value = todo.get(field.text if field.text.lower() != "priority" else "priority", ("", ""))
        if not value or field.value == value:
            continue
        if verb == "click":
            ui.click(index)
        else:
            (ui.select if verb == "select" else ui.type)(index, value, ui.quote(value))


def _saved(
    ui: Interface, rng: Random, record: str, api: bool, readings: list[tuple[str, str, tuple[str, ...]]]
) -> None:
    """What is shown after the record was taken."""
    number = rng.randint(1, 500)
    if api:
        shown = [mark("text", name, value) for name, value, _ in readings]
        ui.marks = [
            mark("text", "status", "201 Created"),
            mark("text", "id", str(number)),
            *shown,
            mark("button", "back"),
        ]
        return
    head = rng.choice(
        [
            f"{record.capitalize()} #{number} created",
            f"{record.capitalize()} {number} saved",
            "Thank you",
            "The record was saved",
        ]
    )
    shown = [m for name, value, _ in readings for m in (mark("text", name.capitalize()), mark("text", value))]
    ui.marks = [
        *ui.marks[: rng.randint(0, 3)],
        mark("heading", head),
        *shown,
        mark("link", "Back to the list"),
    ]


def _priority(rng: Random, api: bool) -> list[Mark]:
    """The field for the priority, at times with its options below it."""
    chosen = None if api else rng.choice(["normal", "low"])
    field = mark("argument" if api else "combobox", "priority" if api else "Priority", chosen)
    if rng.random() < 0.5:
        return [field]
    options = [
        mark("option", name, None, *(["selected"] if name == chosen else []))
        for name in ("low", "normal", "high")
    ]
    return [field, *options]


def _label_and_value(rng: Random, label: str, value: str) -> tuple[str, str]:
    """A field's label and what is typed: where the label names the unit, only the number."""
    number, _, unit = value.partition(" ")
    if unit and number.replace(".", "").isdigit() and rng.random() < 0.6:
        return rng.choice(
            [f"{label} ({unit})", f"{label} {unit}", f"{label} in {unit}", f"{label} [{unit}]"]
        ), number
    return label, value


def _remark(rng: Random) -> str:
    """A few words about a fault."""
    if rng.random() < 0.3:
        return " ".join(rng.sample(WORDS, rng.randint(1, 3)))
    part = rng.choice(
        [
            "Seal",
            "Bearing",
            "Motor",
            "Valve",
            "Gauge",
            "Belt",
            "Filter",
            "Hose",
            "Display",
            "Housing",
            "Fan",
            "Coupling",
        ]
    )
    fault = rng.choice(
        [
            "is leaking",
            "is worn",
            "makes noise",
            "is too hot",
            "does not start",
            "is loose",
            "shows an error",
            "vibrates",
            "needs oil",
            "is broken",
        ]
    )
    return f"{part} {fault}"


def shuffled_rows(rng: Random, rows: list[list[Mark]], extra: list[list[Mark]]) -> list[list[Mark]]:
    mixed = [*rows]
    for row in extra:
        mixed.insert(rng.randint(0, len(mixed)), row)
    return mixed


def _opens(m: Mark) -> bool:
    """Whether a mark of the front opens the form of a new record."""
    text = m.text.lower()
    return m.role in ("link", "operation") and (text.startswith(("new", "create", "add", "post")))


def look_up(rng: Random) -> Interface:
    """Find a record by something known, on a page or through an API."""
    api = rng.random() < 0.6
    key, names = rng.choice(READINGS[:3])
    said, value = rng.choice(names), code(rng)
    noun = rng.choice(["ticket", "record", "order", "report", "device"])
    known = rng.random() < 0.7
    what = f"the {noun}" if rng.random() < 0.5 else f"all {noun}s"
    if known:
        goal = rng.choice([f"Find {what} with the {said}", f"Look up {what} by {said}", f"Search {noun}s for the {said}", f"Check that the {noun} with this {said} exists"])  # fmt: skip
    else:
        goal = rng.choice(
            [
                f"Find {what} with {said} {value}",
                f'Look up {what} by {said} "{value}"',
                f"Search {noun}s for {said} {value}",
            ]
        )
    marks = _operations(rng, noun) if api else [mark("link", "Home"), mark("link", f"New {noun}"), mark("searchbox", rng.choice(["Search", said.capitalize()])), mark("button", "Search"), *noise(rng, 2)]  # fmt: skip
    ui = Interface("look up", goal, rng, marks, photos=rng.random() < 0.3, surface="api" if api else "page")
    if known:
        ui.facts.append(f"{said} = {value}")
        if rng.random() < 0.5:
            ui.facts.insert(
                rng.randint(0, 1),
                f"{rng.choice(['pressure', 'model', 'flow'])} = {_reading(rng, 'pressure')}",
            )
    if api:
        ui.click(
            next(i for i, m in enumerate(ui.marks) if m.text.lower().startswith(("list", "search", "find")))
        )
        label = _form_label(rng, said, names).lower().replace(" ", "_").replace("/", "")
        ui.marks = [mark("argument", label), *[mark("argument", w) for w in rng.sample(["limit", "offset", "status", "page"], rng.randint(0, 2))], mark("button", "send"), mark("button", "back")]  # fmt: skip
        ui.type(0, value, ui.quote(value))
        ui.click(ui.find("button", "send"))
        ui.marks = [mark("text", "id", str(rng.randint(1, 99))), mark("text", label, value), mark("text", "status", rng.choice(["open", "200", "closed"])), mark("button", "back")]  # fmt: skip
    else:
        box = next(i for i, m in enumerate(ui.marks) if m.role == "searchbox")
        ui.type(box, value, ui.quote(value))
        ui.click(ui.find("button", "Search"))
        ui.marks = [replace(m, value=None) for m in ui.marks[:4]] + [
            mark("link", f"#{rng.randint(1, 99)} {value}")
        ]
    ui.done()
    return ui


FORMS = {
    fields_in_goal: 3.0,
    log_in: 1.0,
    unnamed_field: 1.5,
    copy_text: 0.7,
    choose_option: 1.5,
    record_from_photo: 8.0,
    look_up: 1.8,
}
