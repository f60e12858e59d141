"""Opens what a spec names: a page in a browser that can reach its host only, or a picture."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

from llava_agent.checks.look.picture import PictureSubject
from llava_agent.checks.look.subject import PageSubject
from llava_agent.checks.secrets import secrets_of
from llava_agent.checks.served import Served
from llava_agent.checks.sighting import Subject
from llava_agent.checks.spec import Spec, Variant
from llava_agent.checks.steps import Errand, take
from llava_agent.egress import ANYWHERE, AllowList, Reach
from llava_agent.errors import ConfigError, ToolError

_PAGES = (".html", ".htm", ".xhtml", ".svg")


@asynccontextmanager
async def opened(
    spec: Spec, variant: Variant, folder: Path | None, errand: Errand | None, reach: Reach = ANYWHERE
) -> AsyncIterator[Subject]:
    """The subject of a spec, with its steps done.

    Args:
        folder: what its paths are relative to; None permits addresses alone.
        reach: which addresses its page may lead to.

    Raises:
        ConfigError: the page's file does not exist, or a secret is not set.
        ToolError: the page cannot be reached, or a step cannot be done.
    """
    if spec.page.startswith(("http://", "https://")):
        async with _page(spec, variant, spec.page, errand, reach) as subject:
            yield subject
        return
    if folder is None:
        raise ConfigError(
            f"the page {spec.page} is no address", "give one that begins with http:// or https://"
        )
    path = (folder / spec.page).resolve()
    if not path.is_file():
        raise ConfigError(f"the page {path} does not exist", "give an address, or a file beside the spec")
    if path.suffix.lower() not in _PAGES:
        if spec.steps:
            raise ConfigError("a picture has no controls, so it takes no steps", "remove `steps`")
        yield PictureSubject(path, spec.picture)
        return
    with Served(path.parent) as base:
        async with _page(spec, variant, f"{base}/{quote(path.name)}", errand, ANYWHERE) as subject:
            yield subject


@asynccontextmanager
async def _page(
    spec: Spec, variant: Variant, url: str, errand: Errand | None, reach: Reach
) -> AsyncIterator[PageSubject]:
    from tools.browser import BrowserSession, PageSurface

    secrets = secrets_of(spec)
    async with BrowserSession(
        AllowList.of(url),
        viewport=variant.viewport,
        locale=variant.locale,
        accept_dialogs=spec.dialogs == "accept",
        reach=reach,
    ) as session:
        motion = "reduce" if variant.reduced_motion else "no-preference"
        await session.page.emulate_media(color_scheme=variant.theme, reduced_motion=motion)  # type: ignore[arg-type]
        surface = PageSurface(session, limit=10_000, text=20_000)
        outcome = await surface.open(url)
        if not outcome.ok:
            raise ToolError(f"{url} answers with an error ({outcome.detail})", "check the address")
        subject = PageSubject(surface, list(secrets.values()))
        for step in spec.steps:
            await take(step, subject, spec.timeout, errand)
        yield subject
