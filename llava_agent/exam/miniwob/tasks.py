"""Which pages make the exam, and where the installed package keeps them."""

from __future__ import annotations

import difflib
import importlib.metadata
import importlib.util
from collections.abc import Sequence
from pathlib import Path

from llava_agent.errors import ConfigError

PACKAGE = "miniwob"
VERSION = "1.1.0"
_MEND = f"run `pip install --no-deps {PACKAGE}=={VERSION}`"

#: The package has 130; BrowserGym's list of 125, which results are compared on, does not have these.
LEFT_OUT = frozenset({"button-delay", "chase-circle", "hover-shape", "moving-items", "simon-says"})
#: The same seed does not give the same episode here.
NONDETERMINISTIC = frozenset({"click-pie", "click-pie-nodelay", "stock-market", "terminal"})


def pages_folder() -> Path:
    """Folder of the installed package that holds `miniwob/*.html` and its siblings; nothing is imported.

    Raises:
        ConfigError: the package is not installed, is another version, or has no pages.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError(f"the pages of MiniWoB++ are not installed (package {PACKAGE})", _MEND)
    installed = importlib.metadata.version(PACKAGE)
    if installed != VERSION:
        raise ConfigError(f"the exam is defined on {PACKAGE} {VERSION}, but {installed} is installed", _MEND)
    folder = Path(spec.submodule_search_locations[0]) / "html"
    if not (folder / "miniwob").is_dir():
        raise ConfigError(f"the installed package {PACKAGE} holds no pages", _MEND)
    return folder


def all_tasks(folder: Path) -> tuple[str, ...]:
    """Names of the exam's tasks in alphabetical order."""
    return tuple(sorted({path.stem for path in (folder / "miniwob").glob("*.html")} - LEFT_OUT))


def pick_tasks(names: str | Sequence[str], folder: Path) -> tuple[str, ...]:
    """The tasks named (`a,b` or a sequence), or all of them where none is named.

    Raises:
        ConfigError: there is no task of that name.
    """
    known = all_tasks(folder)
    wanted = [name.strip() for name in (names.split(",") if isinstance(names, str) else names)]
    wanted = [name for name in wanted if name]
    for name in wanted:
        if name not in known:
            close = difflib.get_close_matches(name, known, 3)
            mend = (
                f"did you mean {', '.join(close)}?"
                if close
                else f"there are {len(known)}, such as {known[0]}"
            )
            raise ConfigError(f"there is no task {name!r}", mend)
    return tuple(dict.fromkeys(wanted)) or known


def pick_seeds(words: str | Sequence[int]) -> tuple[int, ...]:
    """Seeds from words such as `0-4` or `0,3,7-9`, without repetition.

    Raises:
        ConfigError: no seeds, or words that are no such list.
    """
    if not isinstance(words, str):
        seeds = list(words)
    else:
        try:
            seeds = [seed for part in words.split(",") for seed in _range(part.strip())]
        except ValueError:
            raise ConfigError(f"{words!r} is no list of seeds", "write it like 0-4 or 0,3,7") from None
    if not seeds or min(seeds) < 0:
        raise ConfigError(f"{words!r} gives no seeds from 0 upwards", "write it like 0-4 or 0,3,7")
    return tuple(dict.fromkeys(seeds))


def _range(part: str) -> range:
    first, dash, last = part.partition("-")
    return range(int(first), int(last if dash else first) + 1)
