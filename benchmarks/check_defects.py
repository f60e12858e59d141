# ruff: noqa: E501  (pages are easier to read on one line)
"""How often do UI checks miss a defect, and how often do they cry wolf?

`python -m benchmarks.check_defects --out defects.json` makes 20 pages (5 kinds in 4 styles), each with twins that
carry one defect, checks all of them with the page's own spec, and counts: every page that is right must pass, every
twin must not. A twin that passes is a false pass. Takes some minutes; nothing leaves the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llava_agent.checks.run import run_specs
from llava_agent.checks.spec import Spec
from llava_agent.checks.verdict import SpecResult
from llava_agent.exam.share import Share

STYLES = {
    "plain": "body{font:16px sans-serif;margin:20px}",
    "dark": "body{font:15px system-ui;margin:0;padding:24px;background:#16181d;color:#e8e8ea}button{padding:8px}",
    "dense": "body{font:12px monospace;margin:6px;line-height:1.1}table{border-collapse:collapse}td{border:1px solid}",
    "centred": "body{font:18px Georgia,serif;max-width:640px;margin:40px auto}button{border-radius:20px;padding:10px}",
}


@dataclass(frozen=True, slots=True)
class Page:
    """A page and what must be true of it."""

    name: str
    body: str
    expect: tuple[dict[str, Any], ...]


def _table(rows: list[tuple[str, str]]) -> str:
    return "<table>" + "".join(f"<tr class=row><td>{a}<td>{b}</tr>" for a, b in rows) + "</table>"


PAGES = (
    Page(
        "orders",
        "<h1>Open orders</h1>"
        + _table([("Bolts", "12 EUR"), ("Pump seal", "30 EUR")])
        + "<p id=total>Total: 42 EUR</p><button id=main>Save changes</button><button id=other disabled>Delete</button>"
        "<label><input type=checkbox id=box checked>Notify me</label>",
        (
            {"shows": "Open orders"},
            {"text": "Total: 42 EUR"},
            {"shows": "Pump seal"},
            {"state": {"name": "Save changes", "is": "enabled"}},
            {"state": {"name": "Delete", "is": "disabled"}},
            {"state": {"name": "Notify me", "is": "checked"}},
            {"not_shows": "went wrong"},
        ),
    ),
    Page(
        "sign in",
        "<h1>Sign in</h1><label>Email <input id=field value='ada@example.org'></label>"
        "<label>Password <input type=password></label><p id=total>Attempts left: 3</p>"
        "<button id=main>Sign in</button><label><input type=checkbox id=box checked>Remember me</label>"
        "<ul><li class=row>Forgot password</ul>",
        (
            {"text": "ada@example.org"},
            {"text": "Attempts left: 3"},
            {"count": {"role": "button", "equals": 1}},
            {"state": {"name": "Sign in", "role": "button", "is": "enabled"}},
            {"text": "Sign in"},
            {"state": {"name": "Remember me", "is": "checked"}},
            {"not_shows": "went wrong"},
            {"shows": "Forgot password"},
        ),
    ),
    Page(
        "invoice",
        "<h1>Invoice 2026-017</h1>"
        + _table([("Inspection", "240.00"), ("Travel", "35.50")])
        + "<p id=total>Due: 275.50</p><button id=main>Pay now</button>"
        "<label><input type=checkbox id=box checked>Send a receipt</label>",
        (
            {"shows": "Invoice 2026-017"},
            {"text": "Due: 275.50"},
            {"shows": "Travel"},
            {"state": {"name": "Pay now", "is": "enabled"}},
            {"state": {"name": "Send a receipt", "is": "checked"}},
            {"not_shows": "went wrong"},
        ),
    ),
    Page(
        "machine",
        "<h1>Pump P-1042</h1><p id=total>Pressure: 6.4 bar</p><ul><li class=row>Seal replaced<li class=row>Oil checked</ul>"
        "<button id=main>File a ticket</button><button id=other disabled>Restart</button>"
        "<label><input type=checkbox id=box checked>Follow</label>",
        (
            {"shows": "Pump P-1042"},
            {"text": "Pressure: 6.4 bar"},
            {"shows": "Oil checked"},
            {"state": {"name": "File a ticket", "is": "enabled"}},
            {"state": {"name": "Restart", "is": "disabled"}},
            {"state": {"name": "Follow", "is": "checked"}},
            {"not_shows": "went wrong"},
        ),
    ),
    Page(
        "settings",
        "<h1>Settings</h1><label>Language <select><option>English<option>Deutsch</select></label>"
        "<p id=total>Storage used: 71 %</p><ul><li class=row>Profile<li class=row>Security</ul>"
        "<button id=main>Apply</button><label><input type=checkbox id=box checked>Dark mode</label>",
        (
            {"text": "Settings"},
            {"text": "Storage used: 71 %"},
            {"text": "English"},
            {"shows": "Security"},
            {"state": {"name": "Apply", "is": "enabled"}},
            {"state": {"name": "Dark mode", "is": "checked"}},
            {"not_shows": "went wrong"},
        ),
    ),
)

#: A defect by name: a script that injects it.
DEFECTS = {
    "wrong text": "const h = document.querySelector('h1'); h.textContent = h.textContent.replace(/[aeiou]/, 'x')",
    "stale number": "total.textContent = total.textContent.replace(/[0-9]/, (d) => (+d + 1) % 10)",
    "missing control": "main.remove()",
    "disabled control": "main.disabled = true",
    "missing row": "[...document.querySelectorAll('.row')].pop().remove()",
    "unchecked box": "box.checked = false",
    "error message": "document.body.append('Something went wrong')",
    "invisible control": "main.style.visibility = 'hidden'",
    "hidden behind a banner": "const lid = document.createElement('div'); lid.style = "
    "'position:fixed;inset:0 0 60% 0;background:#fff;z-index:9'; document.body.append(lid)",
    "text moved off the page": "total.style = 'position:absolute;left:-2000px'",
    "text cut off": "total.style = 'width:3em;overflow:hidden;white-space:nowrap'",
    "text in the colour of the ground": "total.style.color = getComputedStyle(document.body).backgroundColor",
}


def html(page: Page, style: str, defect: str = "") -> str:
    script = f"<script>{DEFECTS[defect]}</script>" if defect else ""
    ids = "<script>for (const e of document.querySelectorAll('[id]')) window[e.id] = e</script>"
    return f"<!doctype html><title>{page.name}</title><style>{STYLES[style]}</style>{page.body}{ids}{script}"


def specs(folder: Path, styles: list[str]) -> list[tuple[Path, Spec]]:
    """Every page and every twin in these styles, written into `folder`."""
    made = []
    for page in PAGES:
        for style in styles:
            for defect in ("", *DEFECTS):
                name = f"{page.name}-{style}-{defect or 'right'}".replace(" ", "_")
                (folder / f"{name}.html").write_text(html(page, style, defect), encoding="utf-8")
                spec = {
                    "name": defect or "right",
                    "page": f"{name}.html",
                    "expect": page.expect,
                    "timeout": 0.3,
                }
                made.append((folder / f"{name}.yaml", Spec.model_validate(spec)))
    return made


def figures(results: tuple[SpecResult, ...]) -> dict[str, object]:
    """Counts with intervals: precision and recall of "not passed", false passes, and each defect apart."""
    right = [one for one in results if one.name == "right"]
    broken = [one for one in results if one.name != "right"]
    caught, alarms = sum(_noticed(one) for one in broken), sum(_noticed(one) for one in right)
    return {
        "pages": len(right),
        "twins": len(broken),
        "recall": Share(caught, len(broken)).as_dict(),
        "precision": Share(caught, caught + alarms).as_dict(),
        "false_passes": Share(len(broken) - caught, len(broken)).as_dict(),
        "false_alarms": Share(alarms, len(right)).as_dict(),
        "caught_by_defect": {
            defect: f"{sum(_noticed(one) for one in own)} of {len(own)}"
            for defect in DEFECTS
            for own in [[one for one in broken if one.name == defect]]
        },
        "errors": [one.problem for one in results if one.problem],
        "seconds_median": sorted(one.seconds for one in results)[len(results) // 2],
    }


def _noticed(result: SpecResult) -> bool:
    return result.status != "pass"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    parser.add_argument(
        "--styles", nargs="+", choices=STYLES, default=list(STYLES), help="all where not given"
    )
    given = parser.parse_args(arguments)
    progress: Callable[[SpecResult, int, int], None] = lambda result, number, total: print(  # noqa: E731
        f"{number:4}/{total} {result.status:9} {result.file.stem}", file=sys.stderr
    )
    with tempfile.TemporaryDirectory() as folder:
        result = asyncio.run(run_specs(specs(Path(folder), given.styles), progress=progress))
    text = json.dumps(figures(result.specs), indent=2)
    if given.out:
        given.out.write_text(text + "\n", encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
