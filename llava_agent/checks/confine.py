"""What a spec may name that comes from somebody else: addresses, and pictures that came with it.

On the command line a spec is its user's own file and may name any other. On a server it must not reach the
server's files, its environment, or the network behind it.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from llava_agent.checks.spec import Spec
from llava_agent.egress import Reach
from llava_agent.errors import ConfigError, PermissionDenied

#: Ways to look at one page; steps in it and seconds that it may wait in all.
MOST_VARIANTS, MOST_STEPS, MOST_EXPECTATIONS = 24, 60, 500
#: A plain file name: no folder, nothing hidden.
_PLAIN = re.compile(r"[\w-][\w .()+@-]{0,99}\Z")


def confined(spec: Spec, pictures: Collection[str], reach: Reach) -> Spec:
    """The spec, if it may be run here.

    Args:
        pictures: names of the files that came with it.

    Raises:
        ConfigError: it names a file that did not come with it, or is too large.
        PermissionDenied: it names a secret, a file of the server, or an address that is not public.
    """
    if spec.page.startswith(("http://", "https://")):
        reach.check_literal(spec.page)
    elif "://" in spec.page or spec.page.startswith("file:"):
        raise PermissionDenied(
            "this page is no web address", "give one that begins with http:// or https://, or a picture"
        )
    elif spec.page not in pictures:
        raise ConfigError(
            f"the page {spec.page[:100]!r} is no web address and no picture of this check",
            "give an address that begins with http:// or https://, or upload a picture of that name",
        )
    if any(step.type is not None and step.type.secret is not None for step in spec.steps):
        raise PermissionDenied("a check on a server may not name secrets of the server", "use `text`")
    for one in spec.expect:
        if one.matches is not None and not plain(name := str(one.matches.baseline)):
            raise ConfigError(
                f"the baseline {name[:100]!r} is no plain file name ending with .png", "write it as front.png"
            )
    for what, count, most in (
        ("ways to look at it", len(spec.variants()), MOST_VARIANTS),
        ("steps", len(spec.steps), MOST_STEPS),
        ("expectations", len(spec.expect), MOST_EXPECTATIONS),
    ):
        if count > most:
            raise ConfigError(f"{count} {what} are more than {most}", "make several checks of it")
    return spec


def plain(name: str) -> bool:
    """Whether a name is that of a PNG without a folder."""
    return name.lower().endswith(".png") and plain_name(name)


def plain_name(name: str) -> bool:
    """Whether a name is that of a file without a folder."""
    return _PLAIN.match(name) is not None and not name.startswith(".")


def acts(spec: Spec) -> bool:
    """Whether its steps may change something on the page's server, so that they must not be done twice."""
    return any(step.click or step.type or step.select or step.press or step.do for step in spec.steps)
