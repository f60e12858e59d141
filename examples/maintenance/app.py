"""The application: pages for people, a JSON API for programs, over one store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates

from examples.maintenance.store import Store
from examples.maintenance.ticket import PRIORITIES, NewTicket, Ticket, from_form

_HERE = Path(__file__).parent
_FORM_BYTES = 64 * 1024
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}


def create_app(database: Path) -> FastAPI:
    """The application over the tickets in `database`."""
    store = Store(database)
    app = FastAPI(
        title="Maintenance tickets",
        version="1.0.0",
        description="Report and look up equipment that needs attention.",
        docs_url=None,  # those pages fetch scripts from elsewhere
        redoc_url=None,
    )
    _add_api(app, store)
    _add_pages(app, store)
    app.mount("/static", StaticFiles(directory=_HERE / "static"), name="static")
    return app


def _add_api(app: FastAPI, store: Store) -> None:
    @app.post("/api/tickets", status_code=201, operation_id="create_ticket", summary="Create ticket")
    def create_ticket(new: NewTicket) -> Ticket:
        """Store a new maintenance ticket."""
        return store.add(new, "api")

    @app.get("/api/tickets", operation_id="find_tickets", summary="Find tickets")
    def find_tickets(
        serial_number: Annotated[str | None, Query(description="Only tickets of this serial number")] = None,
        limit: Annotated[int, Query(ge=1, le=200, description="Most tickets to return")] = 50,
    ) -> list[Ticket]:
        """Tickets, newest first."""
        return store.find(serial_number=serial_number, limit=limit)

    @app.get(
        "/api/tickets/{id}",
        operation_id="get_ticket",
        summary="Show ticket",
        responses={404: {"description": "There is no such ticket"}},
    )
    def get_ticket(id: int) -> Ticket:
        """One ticket by its number."""
        ticket = store.get(id)
        if ticket is None:
            raise HTTPException(404, f"There is no ticket {id}")
        return ticket


def _add_pages(app: FastAPI, store: Store) -> None:
    templates = Jinja2Templates(directory=_HERE / "templates")

    def page(request: Request, name: str, status: int = 200, **values: object) -> HTMLResponse:
        return templates.TemplateResponse(request, name, values, status_code=status, headers=_HEADERS)

    @app.get("/", include_in_schema=False)
    def index(request: Request, q: str = "") -> Response:
        return page(request, "list.html", tickets=store.find(words=q[:200]), q=q)

    @app.get("/tickets/new", include_in_schema=False)
    def new(request: Request) -> Response:
        return page(request, "new.html", fields={"priority": "normal"}, errors={}, priorities=PRIORITIES)

    @app.post("/tickets/new", include_in_schema=False)
    async def submit(request: Request) -> Response:
        body = await request.body()
        if len(body) > _FORM_BYTES:
            raise HTTPException(413, "The form is too large")
        fields = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=50))
        ticket, errors = from_form(fields)
        if ticket is None:
            return page(request, "new.html", 422, fields=fields, errors=errors, priorities=PRIORITIES)
        stored = store.add(ticket, "web")
        # A redirect, so that loading the page again does not file the ticket again.
        return RedirectResponse(f"/tickets/{stored.id}/created", status_code=303)

    @app.get("/tickets/{number}", include_in_schema=False)
    @app.get("/tickets/{number}/created", include_in_schema=False)
    def detail(request: Request, number: int) -> Response:
        ticket = store.get(number)
        if ticket is None:
            return page(request, "missing.html", 404, number=number)
        created = request.url.path.endswith("/created")
        return page(request, "ticket.html", ticket=ticket, created=created)
