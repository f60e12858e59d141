"""A folder of little pages that keep the contract of MiniWoB++ (none of them is one of its tasks)."""

from __future__ import annotations

from pathlib import Path

_CORE = """
const core = {EPISODE_MAX_TIME: 1000, cover_div: null};
var WOB_DONE_GLOBAL = false, WOB_RAW_REWARD_GLOBAL = 0, WOB_TASK_READY = true;
Math.seedrandom = (seed) => { core.seed = seed; };
core.getUtterance = () => document.getElementById('query').textContent.trim();
core.startEpisodeReal = () => {
  core.cover_div.style.display = 'none';
  genProblem();
  setTimeout(() => core.endEpisode(-1), core.EPISODE_MAX_TIME);
};
core.endEpisode = (reward) => {
  if (WOB_DONE_GLOBAL) return;
  WOB_DONE_GLOBAL = true;
  WOB_RAW_REWARD_GLOBAL = reward;
  core.cover_div.style.display = 'block';
};
window.onload = () => setTimeout(() => {
  core.cover_div = document.createElement('button');
  core.cover_div.id = 'sync-task-cover';
  core.cover_div.textContent = 'START';
  document.body.appendChild(core.cover_div);
}, 20);
"""
_PAGE = """<!DOCTYPE html><script src="../core/core.js"></script>
<div id="query"></div><div id="reward-display"><button>Score</button></div>
<div id="area">{area}</div><script>{script}</script>
"""
_ASK = "var genProblem = () => {{ document.getElementById('query').textContent = {goal}; }};"


def _page(goal: str, area: str, script: str = "") -> str:
    return _PAGE.format(area=area, script=_ASK.format(goal=goal) + script)


PAGES = {
    # Right for even seeds, so that the seed is seen to arrive.
    "even": _page("'Press é'", "<button onclick='core.endEpisode(core.seed % 2 ? -1 : 1)'>Submit é</button>"),
    "half": _page("'Press it'", "<button onclick='core.endEpisode(0.5)'>OK</button>"),
    "unnamed": _page("'Enter something'", "<input type='text'>"),
    "nothing": _page("'Wait'", "<button>OK</button>"),
    "away": _page("'Leave'", "<button onclick='location.href = \"nothing.html\"'>OK</button>"),
    "fields": _page(
        "'x'", "<button>OK</button>", "core.getUtterance = () => ({utterance: 'From the fields', n: 1});"
    ),
    "late": _page(
        "'Late'",
        "<button>OK</button>",
        "WOB_TASK_READY = false; setTimeout(() => { WOB_TASK_READY = true; }, 150);",
    ),
    "popup": _page("'Open'", "<button onclick='window.open(\"nothing.html\")'>OK</button>"),
}


def write(folder: Path) -> Path:
    """Write the pages; returns the folder to hand to the exam."""
    (folder / "core").mkdir(parents=True)
    (folder / "core" / "core.js").write_text(_CORE, encoding="utf-8")
    (folder / "miniwob").mkdir()
    for name, page in PAGES.items():
        (folder / "miniwob" / f"{name}.html").write_text(page, encoding="utf-8")
    return folder
