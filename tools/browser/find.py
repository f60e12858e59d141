"""Find a browser that Playwright can drive."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from llava_agent.errors import ToolError

#: Environment variable with the path of the browser to use.
SETTING = "LLAVA_AGENT_BROWSER"
_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome", "microsoft-edge")
MEND = (
    f"run `playwright install chromium`, install the system's chromium package, or set {SETTING} to its path"
)


def find_browser() -> Path | None:
    """Path of a Chromium or Chrome: the setting first, then what is on PATH.

    Returns:
        None where neither gives one; Playwright's own download may still be there.

    Raises:
        ToolError: the setting names no executable file.
    """
    setting = os.environ.get(SETTING)
    if setting:
        path = Path(setting).expanduser()
        if not (path.is_file() and os.access(path, os.X_OK)):
            raise ToolError(f"{SETTING} names {setting}, which is no executable file", MEND)
        return path
    for name in _NAMES:
        found = shutil.which(name)
        if found:
            return Path(found)
    return None
