"""The application: every route behind one gate.

A room that adds routes names a module with a `router` in `ROUTERS`; each route says with `needs` what a
caller must be permitted, and one that does not is refused to everybody.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from llava_agent import __version__
from llava_agent.service.auth.identity import Identifier
from llava_agent.service.context import Service
from llava_agent.service.http.access import Gate
from llava_agent.service.http.observe import Observer
from llava_agent.service.http.permission import checked
from llava_agent.service.http.problems import handle_problems
from llava_agent.service.http.rate import Buckets
from llava_agent.service.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from llava_agent.assembly import Core

#: Modules with a `router`, in order of precedence.
ROUTERS = (
    "llava_agent.service.http.health",
    "llava_agent.service.auth.routes.session",
    "llava_agent.service.auth.routes.users",
    "llava_agent.service.auth.routes.tokens",
    "llava_agent.service.auth.pages",
    "llava_agent.service.routes.photos",
    "llava_agent.service.routes.records",
    "llava_agent.service.routes.filings",
    "llava_agent.service.routes.runs",
    "llava_agent.service.routes.steering",
    "llava_agent.service.routes.approvals",
    "llava_agent.service.routes.policy",
    "llava_agent.service.routes.usage",
    "llava_agent.service.routes.audit",
    "llava_agent.service.routes.reports",
    "llava_agent.service.routes.knowledge",
    "llava_agent.service.routes.lab",
    "llava_agent.service.routes.checks",
    "llava_agent.service.routes.baselines",
    "llava_agent.service.openai.chat",
    "llava_agent.service.openai.models",
    "llava_agent.service.openai.embeddings",
)

#: What an address without a name may ask for: the login page and its guesses, and health checks.
_STRANGERS_PER_MINUTE, _STRANGERS_BURST = 120, 60
_BURST = 300

log = logging.getLogger("llava_agent.service")


def create_app(settings: Settings, core: Callable[[], Core] | None = None) -> FastAPI:
    """The web application over its database, which is opened here.

    Args:
        core: gives the models; those of the settings' preset if None. Called at the first use.

    Raises:
        ConfigError: settings that cannot be.
        ToolError: the database cannot be used.
    """
    from fastapi import Depends, FastAPI

    service = open_service(settings, core)
    app = FastAPI(
        title="llava-agent",
        version=__version__,
        docs_url=None,  # those pages load scripts from elsewhere
        redoc_url=None,
        openapi_url=None,  # served by a route that says what it needs
        dependencies=[Depends(checked)],
        lifespan=_lifespan,
    )
    app.state.service = service
    handle_problems(app)
    for name in ROUTERS:
        app.include_router(import_module(name).router)
    if settings.ui:
        from llava_agent.ui.server import mount_pages

        mount_pages(app, service)
    login = settings.asks_login
    app.add_middleware(
        Gate,
        routes=app,
        identifier=Identifier(service.tokens, service.sessions, login),
        hosts=settings.hosts,
        body_bytes=settings.body_bytes,
        known=Buckets(settings.requests_per_minute if login else 0, _BURST),
        strangers=Buckets(_STRANGERS_PER_MINUTE, _STRANGERS_BURST),
    )
    app.add_middleware(Observer, metrics=service.metrics, tls=settings.secure)
    return app


def open_service(settings: Settings, core: Callable[[], Core] | None = None) -> Service:
    """The parts of a server, with its database open."""
    from llava_agent.assembly import assemble, observers
    from llava_agent.database import open_database
    from llava_agent.gateway.metrics import process_metrics
    from llava_agent.service.auth.secret import server_secret

    observers.add(process_metrics())
    database = open_database(settings.database)
    return Service.make(settings, database, server_secret(), core or partial(assemble, settings.model))


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    service: Service = app.state.service
    await run_in_threadpool(service.desk.open)
    yield
    await run_in_threadpool(service.desk.close)
    service.database.close()
