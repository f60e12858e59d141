"""The actions on a located target: what the hands of a user do."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tools.action import Action, Check, Clear, Click, Download, Drag, Hover, Select, Target, Type, Upload
from tools.browser import pointer
from tools.browser.script import script
from tools.browser.session import BrowserSession
from tools.browser.target import Located, View, locate
from tools.dates import read_date
from tools.marks.dom import collect, program
from tools.observation import Outcome

if TYPE_CHECKING:
    from playwright.async_api import ElementHandle, Page

#: Longer texts are put in at once instead of key by key.
_TYPED = 300
_DOWNLOAD_SECONDS = 15.0
#: Roles under which pages made without native lists offer their options.
_CHOICES = frozenset({"option", "menuitem", "menuitemradio", "treeitem", "radio"})


Use = Callable[[Located], Awaitable[Outcome]]


class Hands:
    """Carries out actions on one session's pages.

    Args:
        session: whose front page is used.
        uploads: files that may be sent, by name.
        downloads: folder that keeps what is downloaded; None refuses.
    """

    def __init__(self, session: BrowserSession, uploads: dict[str, Path], downloads: Path | None) -> None:
        self._session = session
        self._uploads = uploads
        self._downloads = downloads

    async def use(self, action: Action, view: View) -> Outcome:
        """An action that has a target."""
        match action:
            case Click(target=target):
                return await self._on(target, view, lambda at: self._click(at, action, view))
            case Hover(target=target):
                return await self._on(target, view, lambda at: pointer.hover(view.page, at))
            case Drag(target=target, to=to):
                return await self._on(target, view, lambda at: self._drag(at, to, view))
            case Clear(target=target):
                return await self._on(target, view, lambda at: self._type(at, "", view))
            case Check(target=target, on=on):
                return await self._on(target, view, lambda at: self._check(at, on, view))
            case Type(target=target, text=text):
                return await self._on(target, view, lambda at: self._type(at, text, view))
            case Select(target=target, option=option):
                return await self._on(target, view, lambda at: self._select(at, option, view))
            case Upload(target=target, path=path):
                return await self._on(target, view, lambda at: self._upload(at, path, view))
            case Download(target=target):
                return await self._on(target, view, lambda at: self._download(at, view))
        return Outcome(False, "invalid", f"a page cannot {action.verb}")

    async def _on(self, target: Target, view: View, use: Use) -> Outcome:
        located = await locate(target, view)
        if isinstance(located, Outcome):
            return located
        found = await _selector(view.page, located)
        outcome = await use(located)
        return replace(outcome, data={**outcome.data, "selector": found}) if found and outcome.ok else outcome

    async def press(self, key: str, count: int = 1) -> Outcome:
        from playwright.async_api import Error

        try:
            for _ in range(count):
                await self._session.page.keyboard.press(key)
        except Error as error:
            if "Unknown key" in str(error):
                return Outcome(False, "invalid", f"there is no key {key!r}")
            raise
        return Outcome(True, detail=f"pressed {key}" if count == 1 else f"pressed {key} {count} times")

    async def _click(self, to: Located, click: Click, view: View) -> Outcome:
        native = to.about.get("native")
        if native == "option" and to.element is not None:
            return await _choose(to.element, to.name)
        if native == "file":
            return Outcome(False, "invalid", f"{to.name} takes a file: use upload")
        if native == "select" and to.element is not None:
            # The list that would open is drawn outside the page, and would swallow the next keys.
            await to.element.focus()
            offered = ", ".join((to.dom.options if to.dom else ())[:12])
            return Outcome(True, detail=f"{to.name} is a list: select one of {offered}".rstrip())
        return await pointer.click(view.page, to, click.button, click.count)

    async def _drag(self, start: Located, to: Target, view: View) -> Outcome:
        end = await locate(to, view)
        if isinstance(end, Outcome):
            return end
        # Finding the end may have scrolled the page under the start.
        again = start if start.dom is None else await locate(Target(ref=start.dom.mark.ref), view)
        return again if isinstance(again, Outcome) else await pointer.drag(view.page, again, end)

    async def _check(self, to: Located, on: bool, view: View) -> Outcome:
        read = program("field.js", argument="argument")
        wanted = "checked" if on else "unchecked"
        state = await view.page.evaluate(read, to.element) if to.element else None
        if state not in ("checked", "unchecked"):
            return Outcome(False, "not_a_field", f"{to.name} can be neither checked nor unchecked")
        if state == wanted:
            return Outcome(True, detail=f"{to.name} is {wanted} already", data={"value": wanted})
        done = await pointer.click(view.page, to, "left", 1)
        return replace(done, detail=f"made {to.name} {wanted}", data={"value": wanted}) if done.ok else done

    async def _type(self, to: Located, text: str, view: View) -> Outcome:
        kind = to.about.get("editable")
        if not kind or to.element is None:
            hint = ": use select" if to.about.get("native") == "select" else ""
            return Outcome(False, "not_a_field", f"{to.name} takes no text{hint}")
        if to.about.get("readonly"):
            return Outcome(False, "disabled", f"{to.name} is read-only")
        if kind == "filled":
            return await _fill(to.element, text, to.name)
        if to.at is not None:
            await view.page.mouse.click(*to.at)
        await _replace(view.page, to.element, text)
        value = await view.page.evaluate(program("field.js", argument="argument"), to.element)
        if value == text:
            return Outcome(True, detail=f"typed {text!r} into {to.name}", data={"value": value})
        return Outcome(
            True, detail=f"typed {text!r} into {to.name}, which now holds {value!r}", data={"value": value}
        )

    async def _select(self, to: Located, option: str, view: View) -> Outcome:
        native = to.about.get("native")
        if native == "option" and to.element is not None:  # the option itself was pointed at
            return await _choose(to.element, to.name)
        if native == "select" and to.element is not None:
            labels = await to.element.evaluate(
                "list => [...list.options].map((one) => one.label || one.text)"
            )
            at = _match(option, labels)
            if at is None:
                return Outcome(False, "no_such_option", f"{to.name} offers {', '.join(labels[:20])}")
            disabled = await to.element.evaluate("(list, at) => list.options[at].matches(':disabled')", at)
            if disabled:
                return Outcome(False, "disabled", f"the option {labels[at]!r} of {to.name} is disabled")
            await to.element.select_option(index=at)
            return Outcome(True, detail=f"chose {labels[at]!r} in {to.name}", data={"value": labels[at]})
        return await self._select_drawn(to, option, view)

    async def _select_drawn(self, to: Located, option: str, view: View) -> Outcome:
        """A list that the page draws itself: open it, then click the option that appears."""
        if to.at is None:
            return Outcome(False, "off_screen", f"{to.name} has no place on the screen")
        if await self._pick(option, view) is None:
            await view.page.mouse.click(*to.at)
            for _ in range(10):
                await asyncio.sleep(0.05)
                if await self._pick(option, view) is not None:
                    break
            else:
                return Outcome(False, "no_such_option", f"{to.name} shows no option {option!r}")
        at = await self._pick(option, view)
        if at is None:
            return Outcome(False, "no_such_option", f"the option {option!r} went away")
        await view.page.mouse.click(*at)
        return Outcome(True, detail=f"chose {option!r} in {to.name}", data={"value": option})

    async def _pick(self, option: str, view: View) -> tuple[float, float] | None:
        """Where the option is shown, in CSS pixels."""
        found = await collect(view.page, limit=200)
        await found.handle.dispose()
        shown = [one.mark for one in found.marks if one.mark.role in _CHOICES and one.mark.box is not None]
        at = _match(option, [mark.text for mark in shown])
        box = shown[at].box if at is not None else None
        return box.centre if box else None

    async def _upload(self, to: Located, path: str, view: View) -> Outcome:
        file = self._uploads.get(Path(path).name)
        if file is None or path not in (file.name, str(file)):
            offered = ", ".join(self._uploads) or "none"
            return Outcome(False, "denied", f"{path!r} is none of the run's files ({offered})")
        if not file.is_file():
            return Outcome(False, "not_found", f"the file {file.name} is no longer there")
        if to.about.get("native") == "file" and to.element is not None:
            await to.element.set_input_files(file)
            return Outcome(True, detail=f"gave {file.name} to {to.name}", data={"value": file.name})
        if to.at is None:
            return Outcome(False, "not_a_field", f"{to.name} takes no file")
        from playwright.async_api import TimeoutError

        try:
            async with view.page.expect_file_chooser(timeout=6000) as chooser:
                await view.page.mouse.click(*to.at)
        except TimeoutError:
            return Outcome(False, "not_a_field", f"{to.name} asks for no file")
        await (await chooser.value).set_files(file)
        return Outcome(True, detail=f"gave {file.name} to {to.name}", data={"value": file.name})

    async def _download(self, to: Located, view: View) -> Outcome:
        from playwright.async_api import TimeoutError

        if self._downloads is None:
            return Outcome(False, "denied", "this run keeps no downloads")
        if to.at is None:
            return Outcome(False, "off_screen", f"{to.name} has no place on the screen")
        watch = self._session.watch
        watch.expects_download = True
        try:
            async with view.page.expect_download(timeout=_DOWNLOAD_SECONDS * 1000) as waiting:
                await view.page.mouse.click(*to.at)
            download = await waiting.value
            path = _free_path(self._downloads, download.suggested_filename)
            await download.save_as(path)
        except TimeoutError:
            return Outcome(False, "timeout", f"{to.name} delivered no file")
        finally:
            watch.expects_download = False
        watch.note("download", f"{path.name}, {path.stat().st_size} bytes")
        return Outcome(True, detail=f"downloaded {path.name}", data={"path": str(path)})


async def _selector(page: Page, to: Located) -> dict[str, object] | None:
    """How a script without this product finds the target again; None where a point lies on nothing."""
    if to.node is None:
        return None
    found: dict[str, object] = await page.evaluate(script("selector.js"), to.node)
    return found


async def _choose(option: ElementHandle, name: str) -> Outcome:
    """Select a native option that was itself pointed at."""
    index = await option.evaluate("one => one.index")
    parent = (await option.evaluate_handle("one => one.closest('select')")).as_element()
    if parent is None:
        return Outcome(False, "stale", f"{name} belongs to no list any more")
    await parent.select_option(index=index)
    label = await option.evaluate("one => one.label || one.text")
    return Outcome(True, detail=f"chose {name}", data={"value": label})


_EXAMPLES = {
    "date": "2024-03-18",
    "time": "14:30",
    "month": "2024-03",
    "week": "2024-W12",
    "datetime-local": "2024-03-18T14:30",
    "color": "#ff8800",
    "range": "5",
}


async def _fill(element: ElementHandle, text: str, name: str) -> Outcome:
    """Fields with a form of their own (dates, times, colours, sliders) take a value, not keys."""
    from playwright.async_api import Error

    value, day = "", read_date(text)
    if day is not None and await element.get_attribute("type") == "date":
        text = day.isoformat()  # the only form that the field takes, whatever it shows
    try:
        await element.fill(text, timeout=2000)
        value = await element.input_value()
    except Error as error:
        if "Malformed" not in str(error):
            raise
    if text and not value:
        kind = await element.get_attribute("type") or ""
        example = _EXAMPLES.get(kind, "a value")
        return Outcome(False, "invalid", f"{name} takes a {kind} like {example}, not {text!r}")
    return Outcome(True, detail=f"typed {text!r} into {name}", data={"value": value})


async def _replace(page: Page, element: ElementHandle, text: str) -> None:
    """Replace the content of a text field by keys, so that the page sees what a person would cause."""
    await element.evaluate(
        """element => {
          element.focus();
          if (element.select) element.select();
          else element.ownerDocument.getSelection().selectAllChildren(element);
        }"""
    )
    multiline = await element.evaluate("e => e.tagName === 'TEXTAREA' || e.isContentEditable")
    if not multiline:
        text = " ".join(text.splitlines())  # a line end would be Enter, which sends the form
    if not text:
        await page.keyboard.press("Delete")
    elif len(text) > _TYPED or "\n" in text:
        await page.keyboard.insert_text(text)
    else:
        await page.keyboard.type(text)


def _match(wanted: str, labels: list[str]) -> int | None:
    """Index of the label that is `wanted`, or of the only one that contains it; None where there is none."""

    def plain(text: str) -> str:
        return " ".join(text.split()).casefold()

    said = [plain(label) for label in labels]
    same = [at for at, label in enumerate(said) if label == plain(wanted)]
    if same:
        return same[0]
    within = [at for at, label in enumerate(said) if plain(wanted) and plain(wanted) in label]
    return within[0] if len(within) == 1 else None


def _free_path(folder: Path, suggested: str) -> Path:
    """A path in `folder` that is not taken, from a name that the server chose."""
    name = re.sub(r"[^\w. -]", "_", Path(suggested.replace("\\", "/")).name).lstrip(". ")[:120] or "download"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    for number in range(2, 10_000):
        if not path.exists():
            break
        path = folder / f"{Path(name).stem}-{number}{Path(name).suffix}"
    return path
