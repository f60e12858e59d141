"""Every English string of the checks desk."""

from __future__ import annotations

TAB = "UI checks"
CHECKS = "Your checks"
CHECKS_HINT = "Choose one to change or run it; its last run is shown."
NEW = "new check"
PAGE = "Write a first spec of this page"
PAGE_EXAMPLE = "http://localhost:8000/orders"
DRAFT = "Write it"
SPEC = "Spec"
SPEC_HINT = "What must be true of the page. Change it here, or upload a YAML file."
SPEC_EXAMPLE = """name: orders
page: http://localhost:8000/orders
expect:
  - shows: Save changes
  - text: "Total: 42 EUR\""""
FILES = "Upload a spec (YAML), or screenshots to check"
SAVE, RUN, STOP, DELETE = "Save", "Save and run", "Stop", "Delete"
HINT = "Verdicts arrive here, each with its place on the page. A run goes on when you leave the page."
NO_SPEC, NO_SPEC_MEND = "there is no spec yet", "write one, upload one, or have a first one written"
NO_PAGE, NO_PAGE_MEND = "there is no page", "give its address, such as http://localhost:8000/orders"
NO_CHECK, NO_CHECK_MEND = "no check is chosen", "choose one of your checks"
NO_RUN, NO_RUN_MEND = "no run is chosen", "run the check first"
WAITING, DRAFTING, STOPPING = "waiting for its turn", "looking at the page, twice", "stopping"
LOOKING = "looking at {name} ({at} of {of})"
ONE_WAY = "the page"
DRAFTED = "A first spec is written: all of it holds now. Keep what must stay true, then run it."
SAVED, DELETED = "Saved.", "Deleted. The reports of its runs stay."
STOPPED = "The run was stopped."
RUNS = "Runs of this check"
BASELINES = "Pictures that may be accepted as right"
ACCEPT = "Accept"
ACCEPTED = "{name} is accepted: from now on the page must look like this."
REPORT, JUNIT = "Report (HTML)", "JUnit XML"
COMPARE, BEFORE, NOW = "Compare with the accepted picture", "accepted", "seen now"
HISTORY = "Over the last {count} runs"
STANDINGS = {"holds": "holds", "broken": "broken", "mended": "mended", "flaky": "flaky"}
SIGNS = {"pass": "✓", "fail": "✗", "uncertain": "?", "error": "!"}
MEANS = {
    "dom": "structure",
    "ocr": "read from pixels",
    "pixels": "pixels",
    "model": "model",
    "none": "undecided",
}
LINE = "line {line}"
STATES = {
    "queued": "waiting",
    "running": "going on",
    "failed": "failed",
    "cancelled": "stopped",
    "cut_off": "cut off",
}
