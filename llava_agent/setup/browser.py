"""Make sure that there is a browser: `python -m llava_agent.setup.browser`.

In this order: the user's own setting, a Chromium or Chrome on PATH, Playwright's download (bounded in time),
the system's package manager where the user is root; else one sentence says what to do. Each candidate has to
answer `--version`, which one without its shared libraries does not.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from llava_agent.errors import LlavaAgentError, ToolError

#: Seconds for a browser to say its version, for a download, and for the package manager.
ANSWER_S, DOWNLOAD_S, PACKAGES_S = 60, 600, 900
_PACKAGES = ("chromium", "fonts-dejavu-core")

Say = Callable[[str], None]


def problem(browser: Path) -> str:
    """Why a browser does not start; empty where it does."""
    try:
        answer = subprocess.run(
            [browser, "--version"], capture_output=True, text=True, timeout=ANSWER_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{browser} does not start ({error})"
    if answer.returncode != 0:
        said = (answer.stderr or answer.stdout).strip().splitlines()
        return f"{browser} does not start ({said[-1] if said else f'exit status {answer.returncode}'})"
    return ""


def downloaded() -> Path | None:
    """The Chromium that Playwright keeps for itself, where it is there."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = Path(playwright.chromium.executable_path)
    return path if path.is_file() else None


def present() -> Path | None:
    """The browser that would be used: own setting, PATH, Playwright's own; not yet tried.

    Raises:
        ToolError: the setting names no executable file.
    """
    from tools.browser import find_browser

    return find_browser() or downloaded()


def ensure(say: Say) -> Path:
    """A browser that starts, fetched if need be.

    Raises:
        ToolError: there is none and none could be fetched; says what to do.
    """
    found = present()
    trouble = problem(found) if found else "there is no Chromium or Chrome"
    if found and not trouble:
        return found
    for fetch in (_download, _install_package):
        say(trouble)
        if not fetch(say):
            continue
        found = present()
        trouble = problem(found) if found else "there is no Chromium or Chrome"
        if found and not trouble:
            return found
    from tools.browser.find import MEND

    raise ToolError(trouble, MEND)


def _download(say: Say) -> bool:
    say("fetching Chromium with `playwright install chromium` (about 170 MB)")
    playwright = [sys.executable, "-m", "playwright"]
    if not _run(
        [*playwright, "install", "chromium"], DOWNLOAD_S, {"PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT": "15000"}
    ):
        return False
    path = downloaded()
    if path and problem(path) and _is_root():
        say("installing the libraries that Chromium needs")
        _run([*playwright, "install-deps", "chromium"], PACKAGES_S)
    return True


def _install_package(say: Say) -> bool:
    if not (_is_root() and shutil.which("apt-get")):
        return False
    say("installing the system's chromium package")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    if not _run(["apt-get", "-q", "update"], PACKAGES_S, quiet):
        return False
    return _run(["apt-get", "-q", "-y", "install", "--no-install-recommends", *_PACKAGES], PACKAGES_S, quiet)


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _run(command: list[str], seconds: float, settings: Mapping[str, str] | None = None) -> bool:
    """Run to the end with its output shown; at the time limit it is ended with all that it started."""
    with _group(command, {**os.environ, **(settings or {})}) as process:
        try:
            return process.wait(seconds) == 0
        except subprocess.TimeoutExpired:
            return False


@contextlib.contextmanager
def _group(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen]:
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def main() -> int:
    try:
        browser = ensure(lambda line: print(f"browser: {line}", flush=True))
    except LlavaAgentError as error:
        print(f"browser: {error}", file=sys.stderr)
        return error.exit_code
    print(f"browser: {browser}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
