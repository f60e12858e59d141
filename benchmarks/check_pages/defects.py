# ruff: noqa: E501  (pages are easier to read on one line)
"""Defects that a script injects into a page, and where each of them is."""

from __future__ import annotations

from benchmarks.check_pages.shapes import STYLES, Page, body

_LID = "const lid = document.createElement('div'); lid.style = 'position:fixed;background:#fff;z-index:9;border:1px solid #ccc;left:0;right:0;top:0;height:55%'; document.body.append(lid)"
#: A defect by name: where it is (an expression), before or after the script that injects it.
DEFECTS: dict[str, tuple[str, str]] = {
    "wrong text": ("h1", "h1.firstChild.data = h1.textContent.replace(/[aeiou](?!.*[aeiou])/, 'x')"),
    "stale number": ("total", "total.textContent = total.textContent.replace(/[0-9](?!.*[0-9])/, (d) => (+d + 1) % 10)"),
    "missing control": ("", "main.remove()"),
    "disabled control": ("main", "main.disabled = true"),
    "enabled control": ("other", "other.disabled = false"),
    "missing row": ("", "last.remove()"),
    "duplicated row": ("last.nextElementSibling", "last.after(last.cloneNode(true))"),
    "wrong order": ("last", "first.before(last)"),
    "unchecked box": ("box", "box.checked = false"),
    "error message": ("note", "const note = document.createElement('p'); note.id = 'note'; note.textContent = 'Something went wrong'; h1.after(note); window.note = note"),
    "invisible control": ("", "main.style.visibility = 'hidden'"),
    "hidden behind a banner": ("h1", _LID),
    "half covered text": ("total", "const r = total.getBoundingClientRect(), lid = document.createElement('div'); lid.style = `position:absolute;pointer-events:none;background:${ground};left:${r.left + scrollX}px;top:${r.top + scrollY + r.height / 2}px;width:${r.width}px;height:${r.height / 2 + 2}px`; document.body.append(lid)"),
    "off-screen": ("", "total.style = 'position:absolute;left:-2000px'"),
    "text cut off": ("total", "total.style = 'width:3em;overflow:hidden;white-space:nowrap'"),
    "shortened with dots": ("main", "main.style = 'width:4.2em;overflow:hidden;white-space:nowrap;text-overflow:ellipsis'"),
    "text in the colour of the ground": ("total", "total.style.color = ground"),
    "transparent text": ("total", "total.style.opacity = 0.02"),
    "low contrast": ("total", "total.style.color = faint"),
    "wrong colour": ("main", "main.style.background = '#b02a37'; main.style.color = '#fff'"),
    "broken image": ("pic", "pic.src = 'gone.png'"),
    "misaligned": ("last", "last.style.position = 'relative'; last.style.left = '14px'"),
    "overlap": ("total", "total.style.position = 'relative'; total.style.top = (main.getBoundingClientRect().top - total.getBoundingClientRect().top - 2) + 'px'; total.style.pointerEvents = 'none'"),
    "script error": ("", "setTimeout(() => { throw new Error('totals are not defined') }, 0)"),
}  # fmt: skip
#: Defects whose place is where it was before they were injected; what is gone has none.
_BEFORE = {"hidden behind a banner", "half covered text", "text cut off"}

_PREPARE = """
for (const e of document.querySelectorAll('[id]')) window[e.id] = e;
const h1 = document.querySelector('h1'), rows = [...document.querySelectorAll('.row')], first = rows[0], last = rows[rows.length - 1];
let at = total; while (at && getComputedStyle(at).backgroundColor === 'rgba(0, 0, 0, 0)') at = at.parentElement;
const ground = at ? getComputedStyle(at).backgroundColor : 'rgb(255, 255, 255)';
const level = ground.match(/\\d+/g).slice(0, 3).reduce((sum, one) => sum + +one, 0) / 3;
const faint = level > 128 ? '#a8a8a8' : '#4d4f55';
const place = (e) => {
  const range = document.createRange();
  range.selectNodeContents(e);
  const r = (e === main || e === other || e === box || e === pic ? e : range).getBoundingClientRect();
  return [r.left, r.top, r.right, r.bottom];
};
"""


def html(page: Page, defect: str = "") -> str:
    """The page, or its twin with one defect; `window.truth` is where the defect is, in the window at the top."""
    script = _PREPARE
    if defect:
        where, inject = DEFECTS[defect]
        measure = f"window.truth = place({where});" if where else "window.truth = null;"
        script += f"{measure}\n{inject}" if defect in _BEFORE else f"{inject}\n{measure}"
    return f"<!doctype html><meta charset=utf-8><title>{page.title}</title><style>{STYLES[page.style]}</style>{body(page)}<script>{{{script}}}</script>"
