"""Records: read a photo, file what it says on a page or through an API's arguments, and look one up."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from random import Random

from tools.mark import Mark
from training.render.screens.vocabulary import WORDS
from training.tasks.interface import Interface, mark, noise
from training.tasks.values import READINGS, SUBMIT, code, reading_value

_THINGS = ("pump", "compressor", "motor", "boiler", "valve", "meter", "machine", "generator", "fan", "tank")
_RECORDS = (
    "ticket",
    "maintenance ticket",
    "record",
    "work order",
    "report",
    "inspection",
    "service request",
    "defect",
)
_LEVELS = ("low", "normal", "high", "urgent", "medium")
_TICKS = ("machine stopped", "needs spare part", "safety risk", "under warranty", "photo attached")
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


@dataclass(frozen=True, slots=True)
class _Reading:
    """One thing to be read: the words of the goal for it, its value, and other words that forms use."""

    said: str
    value: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Record:
    """What is to be filed.

    Attributes:
        noun: what the record is called.
        api: through an API's arguments instead of a page's form.
        level: the priority; empty for none.
        noted, note: name and content of the field for a remark; `note` is empty for none.
        tick: a checkbox to set; empty for none.
    """

    noun: str
    api: bool
    readings: tuple[_Reading, ...]
    level: str
    noted: str
    note: str
    tick: str

    @property
    def role(self) -> str:
        """Role of its fields."""
        return "argument" if self.api else "textbox"


def record_from_photo(rng: Random) -> Interface:
    """Look for each reading in the photo, open the form, fill it, submit: the product's main job."""
    thing, record = _record(rng)
    goal = _goal(rng, thing, record)
    marks = _front(rng, record)
    ui = Interface("record", goal, rng, marks, photos=True, surface="api" if record.api else "page")
    if rng.random() < 0.15:  # some of it may be known already
        ui.facts.append(f"{record.readings[0].said} = {record.readings[0].value}")
    for reading in record.readings:
        if f"{reading.said} = {reading.value}" not in ui.facts:
            ui.look(reading.said, reading.value)
    _open_and_fill(ui, rng, record)
    return ui


def _record(rng: Random) -> tuple[str, _Record]:
    """The thing on the photo, and what is to be filed about it."""
    api = rng.random() < 0.35
    keys = rng.sample(READINGS, rng.randint(1, 4))
    said = [rng.choice(names) for _, names in keys]
    values = [reading_value(rng, key) for key, _ in keys]
    readings = tuple(map(_Reading, said, values, [names for _, names in keys]))
    thing, noun = rng.choice(_THINGS), rng.choice(_RECORDS)
    level = rng.choice(_LEVELS) if rng.random() < 0.85 else ""
    note = _remark(rng) if rng.random() < 0.55 else ""
    noted = rng.choice(_NOTES)
    tick = rng.choice(_TICKS) if rng.random() < 0.35 and not api else ""
    return thing, _Record(noun, api, readings, level, noted, note, tick)


def _goal(rng: Random, thing: str, record: _Record) -> str:
    """The order in a person's words."""
    said, noun = [reading.said for reading in record.readings], record.noun
    listed = ", ".join(said[:-1]) + (" and " if len(said) > 1 else "") + said[-1]
    goal = rng.choice(
        [
            f"File a {noun} for the {thing} with the {listed} from the photo",
            f"Create a {noun} with {listed} as shown in the photo",
            f"Read the {listed} from the photo of the {thing} and file a {noun}",
            f"Look at the photo and enter {listed} in a new {noun}",
            f"Open a new {noun} for this {thing}. Take the {listed} from the photo",
        ]
    )
    level, noted, note, tick = record.level, record.noted, record.note, record.tick
    if level:
        goal += rng.choice(
            [
                f", with priority {level}",
                f", priority {level}",
                f'. Set the priority to "{level}"',
                f", {level} priority",
                f". It has {level} priority",
                f". The priority is {level}",
                f", as {level} priority",
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
                f'. Write "{note}" as the {noted}',
                f'. "{note}" is the {noted}',
                f". The {noted} is: {note}",
                f', {noted}: "{note}"',
            ]
        )
    if tick:
        goal += rng.choice([f". Tick {tick}", f", tick that {tick}", f". Mark {tick}", f', check "{tick}"'])
    if rng.random() < 0.5:
        goal += rng.choice([", and submit it", ". Submit it", ", then send it", ". Then submit the form"])
    return goal


def _front(rng: Random, record: _Record) -> list[Mark]:
    """What stands before the form: a list with a link to a new record, or the operations of an API."""
    noun = record.noun
    if record.api:
        return _operations(rng, noun)
    new = rng.choice(
        [f"New {noun}", f"Create {noun}", f"Add {noun}", f"New {noun.split()[-1]}", "New", "Create"]
    )
    rows = [mark("link", f"#{rng.randint(1, 99)} {code(rng)}") for _ in range(rng.randint(0, 3))]
    head = [mark("link", rng.choice([f"All {noun}s", "Home", "Overview"])), mark("link", new)]
    rng.shuffle(head)
    search = [mark("searchbox", "Search"), mark("button", "Search")] if rng.random() < 0.4 else []
    return [*head, *search, mark("heading", f"{noun.capitalize()}s"), *rows, *noise(rng, rng.randint(0, 2))]


def _operations(rng: Random, record: str) -> list[Mark]:
    """Operations of an API in several styles of naming, in any order."""
    noun = record.split()[-1]
    made = [
        f"create{noun.capitalize()}: Create a {noun}",
        f"create_{noun}",
        f"Create {noun}",
        f"Create a {record}",
    ]
    found = [
        f"list{noun.capitalize()}s: List {noun}s",
        f"search_{noun}s",
        f"Find {noun}s",
        f"Find {record}s",
        f"List {noun}s",
    ]
    shown = [
        f"get{noun.capitalize()}: Get one {noun}",
        f"read_{noun}",
        f"Show {noun}",
        f"Get a {record} by its number",
    ]
    other = [
        f"delete{noun.capitalize()}: Delete a {noun}",
        "health: Service health",
        f"update_{noun}",
        f"Delete {noun}",
    ]
    kept = [made, found, shown, other] if rng.random() < 0.6 else [made, found, shown]
    operations = [mark("operation", rng.choice(names)) for names in kept]
    rng.shuffle(operations)
    return operations


def _open_and_fill(ui: Interface, rng: Random, record: _Record) -> None:
    """Open the form, fill it from top to bottom, and submit."""
    ui.click(next(i for i, m in enumerate(ui.marks) if _opens(m)))
    rows, todo = _reading_rows(rng, record)
    extra, more = _other_rows(rng, record)
    submit = "send" if record.api else rng.choice(SUBMIT)
    fields = _mixed(rng, rows, extra)
    front = [] if record.api else [*ui.marks[: rng.randint(0, 3)], mark("heading", f"New {record.noun}")]
    away = mark("button", "back") if record.api else mark("link", "Cancel")
    ui.marks = [*front, *(m for row in fields for m in row), mark("button", submit), away]
    if rng.random() < 0.4:
        ui.require()
    _fill(ui, len(front), todo | more)
    ui.click(ui.find("button", submit))
    _saved(ui, rng, record)
    ui.done()


def _reading_rows(rng: Random, record: _Record) -> tuple[list[list[Mark]], dict[str, tuple[str, str]]]:
    """A field for each reading, and what is to be typed into each."""
    rows: list[list[Mark]] = []
    todo: dict[str, tuple[str, str]] = {}
    for reading in record.readings:
        label, typed = _label_and_value(rng, _form_label(rng, reading.said, reading.names), reading.value)
        label = argument_name(rng, label) if record.api else label
        rows.append([mark(record.role, label)])
        todo[label] = ("type", typed)
    if rng.random() < 0.5:
        rng.shuffle(rows)
    return rows, todo


def _other_rows(rng: Random, record: _Record) -> tuple[list[list[Mark]], dict[str, tuple[str, str]]]:
    """Fields that no photo fills: priority, remark, a box to tick, and some to be left alone."""
    api, role = record.api, record.role
    todo: dict[str, tuple[str, str]] = {}
    rows = [[mark(role, w if api else w.capitalize())] for w in rng.sample(_OTHERS, rng.randint(0, 2))]
    if record.level or rng.random() < 0.4:
        rows.append(_priority(rng, api))
        todo["priority"] = ("type" if api else "select", record.level)
    if record.note or rng.random() < 0.3:
        rows.append([mark(role, record.noted if api else record.noted.capitalize())])
        todo[rows[-1][0].text] = ("type", record.note)
    if record.tick or rng.random() < 0.3:
        rows.append([mark("checkbox", (record.tick or "notify me").capitalize())])
        todo[rows[-1][0].text] = ("click", record.tick)
    return rows, todo


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


def _saved(ui: Interface, rng: Random, record: _Record) -> None:
    """What is shown after the record was taken."""
    number = rng.randint(1, 500)
    if record.api:
        shown = [mark("text", reading.said, reading.value) for reading in record.readings]
        ui.marks = [
            mark("text", "status", "201 Created"),
            mark("text", "id", str(number)),
            *shown,
            mark("button", "back"),
        ]
        return
    head = rng.choice(
        [
            f"{record.noun.capitalize()} #{number} created",
            f"{record.noun.capitalize()} {number} saved",
            "Thank you",
            "The record was saved",
        ]
    )
    shown = [
        mark("text", text)
        for reading in record.readings
        for text in (reading.said.capitalize(), reading.value)
    ]
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
        shown = rng.choice(
            [f"{label} ({unit})", f"{label} {unit}", f"{label} in {unit}", f"{label} [{unit}]"]
        )
        return shown, number
    return label, value


def argument_name(rng: Random, label: str) -> str:
    """A label in the ways in which APIs write names."""
    words = re.findall(r"[^\W_]+", label.lower())
    camel = words[0] + "".join(word.capitalize() for word in words[1:])
    return rng.choice([label.lower(), "_".join(words), "_".join(words), camel])


def _form_label(rng: Random, said: str, names: tuple[str, ...]) -> str:
    """A form's words for a reading, in the goal's words or others."""
    name = said if rng.random() < 0.6 else rng.choice(names)
    return rng.choice([name, name.capitalize(), name.title()])


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


def _mixed(rng: Random, rows: list[list[Mark]], extra: list[list[Mark]]) -> list[list[Mark]]:
    """The rows in their order, with the extra ones anywhere among them."""
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
    _, names = rng.choice(READINGS[:3])
    said, value = rng.choice(names), code(rng)
    noun = rng.choice(["ticket", "record", "order", "report", "device"])
    known = rng.random() < 0.7
    goal = _question(rng, noun, said, "" if known else value)
    marks = _operations(rng, noun) if api else _search_page(rng, noun, said)
    ui = Interface("look up", goal, rng, marks, photos=rng.random() < 0.3, surface="api" if api else "page")
    if known:
        ui.facts.append(f"{said} = {value}")
        if rng.random() < 0.5:
            place, name = rng.randint(0, 1), rng.choice(["pressure", "model", "flow"])
            ui.facts.insert(place, f"{name} = {reading_value(rng, 'pressure')}")
    if api:
        _call_search(ui, rng, _form_label(rng, said, names), value)
    else:
        ui.type(next(i for i, m in enumerate(ui.marks) if m.role == "searchbox"), value, ui.quote(value))
        ui.click(ui.find("button", "Search"))
        found = mark("link", f"#{rng.randint(1, 99)} {value}")
        ui.marks = [*(replace(m, value=None) for m in ui.marks[:4]), found]
    ui.done()
    return ui


def _question(rng: Random, noun: str, said: str, value: str) -> str:
    """The order to find it; without a value, which is then known already."""
    what = f"the {noun}" if rng.random() < 0.5 else f"all {noun}s"
    if value:
        return rng.choice(
            [
                f"Find {what} with {said} {value}",
                f'Look up {what} by {said} "{value}"',
                f"Search {noun}s for {said} {value}",
            ]
        )
    return rng.choice(
        [
            f"Find {what} with the {said}",
            f"Look up {what} by {said}",
            f"Search {noun}s for the {said}",
            f"Check that the {noun} with this {said} exists",
        ]
    )


def _search_page(rng: Random, noun: str, said: str) -> list[Mark]:
    return [
        mark("link", "Home"),
        mark("link", f"New {noun}"),
        mark("searchbox", rng.choice(["Search", said.capitalize()])),
        mark("button", "Search"),
        *noise(rng, 2),
    ]


def _found(rng: Random, label: str, value: str) -> list[Mark]:
    """What a search answers: its status, a count, and the fields of the record that was found."""
    status = mark("text", "status", rng.choice(["200 OK", "open", "closed"]))
    others = [
        mark("text", w, rng.choice([code(rng), "normal"]))
        for w in rng.sample(["model", "asset tag", "priority", "condition"], 2)
    ]
    found = [mark("text", "id", str(rng.randint(1, 99))), mark("text", label, value), *others]
    if rng.random() < 0.6:  # a list numbers its entries
        count = mark("text", "count", "1")
        return [status, count, *(replace(m, text=f"1 {m.text}") for m in found), mark("button", "back")]
    return [status, *found, mark("button", "back")]


def _call_search(ui: Interface, rng: Random, label: str, value: str) -> None:
    """Open the operation that searches, give it the value, send it."""
    ui.click(next(i for i, m in enumerate(ui.marks) if m.text.lower().startswith(("list", "search", "find"))))
    label = argument_name(rng, label)
    others = rng.sample(["limit", "offset", "status", "page"], rng.randint(0, 2))
    arguments = [mark("argument", name) for name in (label, *others)]
    ui.marks = [*arguments, mark("button", "send"), mark("button", "back")]
    ui.type(0, value, ui.quote(value))
    ui.click(ui.find("button", "send"))
    ui.marks = _found(rng, label, value)


RECORDS = {record_from_photo: 12.0, look_up: 4.0}
