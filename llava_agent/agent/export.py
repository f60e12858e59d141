"""A verified run as a plain Playwright script, which needs nothing of this product."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llava_agent.agent.expect import AddressHas, Expectation, Reads, Shows
from llava_agent.agent.history import words
from llava_agent.agent.record import StepRecord
from llava_agent.agent.replay import Recorded, recorded
from llava_agent.agent.resume import seen_at
from llava_agent.agent.secret import PLACE
from llava_agent.agent.trace import write_whole
from llava_agent.errors import ConfigError
from tools.action import Target

_HEAD = '''"""{goal}

Exported from a verified run. Runs alone (`python {name}`) or under pytest with pytest-playwright.
Needs: pip install playwright. The variable URL names another place, BROWSER another browser.
"""

import os
import re
from pathlib import Path

from playwright.sync_api import Page, Response, expect, sync_playwright

URL = os.environ.get("URL", {url})
FILES = Path(os.environ.get("FILES", {files}))


def test_{function}(page: Page) -> None:
    failed: list[str] = []

    def note(answer: Response) -> None:
        if answer.status >= 400 and answer.request.resource_type in ("document", "xhr", "fetch"):
            failed.append(f"{{answer.status}} {{answer.url}}")

    page.context.on("response", note)
    page.goto(URL)
'''
_TAIL = """    assert not failed, failed


if __name__ == "__main__":
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("BROWSER") or None)
        test_{function}(browser.new_page(viewport={{"width": 1000, "height": 750}}))
        browser.close()
        print("passed")
"""


def export_playwright(folder: Path, out: Path) -> Path:
    """Write the script; an existing file is replaced.

    Raises:
        ConfigError: the run was not verified, is none of a page, or a step cannot be written as a script.
    """
    run = recorded(folder)
    if run.settings.surface != "page":
        raise ConfigError("only runs on pages can be exported", "an API is called by its own clients")
    if not run.expectations:
        raise ConfigError(
            f"the run in {folder} has no expectation that a script can check",
            "run it with --expect-text or --expect-url",
        )
    write_whole(out, script(run, out.name).encode())
    return out


def script(run: Recorded, name: str = "test_run.py") -> str:
    """The text of the script."""
    function = re.sub(r"\W+", "_", run.settings.goal.lower()).strip("_")[:50] or "run"
    goal = PLACE.sub(_named, run.settings.goal).replace("\\", "").replace('"""', "'''")
    head = _HEAD.format(
        goal=goal, name=name, url=_said(run.settings.address), files=_said(str(run.folder / "images")),
        function=function,
    )  # fmt: skip
    lines = [line for step in run.steps for line in _step(step)]
    lines += [line for expectation in run.expectations for line in _expectation(expectation)]
    return head + "".join(f"    {line}\n" for line in lines) + _TAIL.format(function=function)


def _step(step: StepRecord) -> Iterator[str]:
    assert step.action is not None
    yield f"# {PLACE.sub(_named, words(step.action, seen_at(step)))}".replace("\n", " ")
    lines = list(_action(step))
    if step.data.get("tabs") and lines:
        yield "with page.context.expect_page() as opened:"
        yield from (f"    {line}" for line in lines)
        yield "page = opened.value"
        yield "page.wait_for_load_state()"
    else:
        yield from lines


def _action(step: StepRecord) -> Iterator[str]:
    action: Any = step.action
    match action.verb:
        case "navigate":
            yield f"page.goto({_said(action.url)})"
        case "back":
            yield "page.go_back()"
        case "tab":
            yield f"page = page.context.pages[{action.index}]"
        case "press":
            again = "" if action.count == 1 else f"for _ in range({action.count}): "
            yield f"{again}page.keyboard.press({_said(action.key)})"
        case "wait":
            yield f"page.wait_for_timeout({action.seconds * 1000:.0f})"
        case "wait_for" if action.text:
            yield f'expect(page.locator("body")).to_contain_text({_pattern(action.text)})'
        case "wait_for":
            yield f"page.wait_for_url(re.compile({_said(re.escape(action.url))}))"
        case "scroll" if action.target is None:
            across, down = {"up": (0, -600), "down": (0, 600), "left": (-600, 0), "right": (600, 0)}[
                action.direction
            ]
            yield f"page.mouse.wheel({across}, {down})"
        case "dialog":
            text = "" if action.text is None else _said(action.text)
            answer = f"dialog.accept({text})" if action.accept else "dialog.dismiss()"
            yield f'page.once("dialog", lambda dialog: {answer})'
        case _:
            yield from _targeted(step, action)


def _targeted(step: StepRecord, action: Any) -> Iterator[str]:
    selector = step.data.get("selector")
    if not isinstance(selector, dict) or not isinstance(getattr(action, "target", None), Target):
        raise ConfigError(f"step {step.step} ({step.line}) cannot be written as a script")
    place, tag = _locator(selector), str(selector.get("tag", ""))
    match action.verb:
        case "click" if tag == "option":
            label = _said(step.data.get("value"))
            yield f'{place}.locator("xpath=ancestor::select").select_option(label={label})'
        case "click":
            options = [f'button="{action.button}"'] if action.button != "left" else []
            options += [f"click_count={action.count}"] if action.count > 1 else []
            yield f"{place}.click({', '.join(options)})"
        case "type":
            yield f"{place}.fill({_value(action.text)})"
        case "clear":
            yield f'{place}.fill("")'
        case "select" if tag == "select":
            yield f"{place}.select_option(label={_said(step.data.get('value', action.option))})"
        case "select":
            yield f"{place}.click()"
            yield f'page.get_by_role("option", name={_said(action.option)}, exact=True).first.click()'
        case "check" if tag == "input":
            yield f"{place}.set_checked({action.on})"
        case "check":
            wanted = "true" if action.on else "false"
            yield f'if {place}.get_attribute("aria-checked") != "{wanted}":'
            yield f"    {place}.click()"
        case "hover":
            yield f"{place}.hover()"
        case "upload" if tag == "input":
            yield f"{place}.set_input_files(FILES / {_said(Path(action.path).name)})"
        case "upload":
            yield "with page.expect_file_chooser() as chooser:"
            yield f"    {place}.click()"
            yield f"chooser.value.set_files(FILES / {_said(Path(action.path).name)})"
        case "download":
            yield "with page.expect_download() as download:"
            yield f"    {place}.click()"
            yield "assert download.value.failure() is None"
        case _:
            raise ConfigError(f"step {step.step} ({step.line}) cannot be written as a script")


def _expectation(expectation: Expectation) -> Iterator[str]:
    match expectation:
        case Shows(text=text):
            yield f'expect(page.locator("body")).to_contain_text({_pattern(text)})'
        case AddressHas(text=text):
            yield f"expect(page).to_have_url(re.compile({_said(re.escape(text))}))"
        case Reads(name=name, value=value):
            yield f'expect(page.locator("body")).to_contain_text({_pattern(name)})'
            yield f'expect(page.locator("body")).to_contain_text({_pattern(value)})'


def _locator(selector: dict[str, Any]) -> str:
    frames = "".join(f".frame_locator({_said(frame)})" for frame in selector.get("frames", ()))
    return f"page{frames}.locator({_said(selector['css'])})"


def _pattern(text: str) -> str:
    """Blanks and case aside, as the product's own check reads it."""
    joined = r"\s+".join(re.escape(word) for word in text.split())
    return f"re.compile({_said(joined)}, re.IGNORECASE)"


def _value(text: str) -> str:
    """A text with secrets from the environment: `"a" + os.environ["PASSWORD"]`."""
    parts, end = [], 0
    for found in PLACE.finditer(text):
        parts += [_said(text[end : found.start()])] if found.start() > end else []
        parts.append(f"os.environ[{_said(found.group(1))}]")
        end = found.end()
    parts += [_said(text[end:])] if end < len(text) or not parts else []
    return " + ".join(parts)


def _named(found: re.Match[str]) -> str:
    return f"<{found.group(1)}>"


def _said(value: object) -> str:
    """A Python literal, in double quotes where it is a text."""
    return json.dumps(str(value), ensure_ascii=False)
