"""A small maintenance-ticket system: web pages, a JSON API and SQLite.

with serve(Path("tickets.db")) as url:
    ...                              # a browser or an API client works on `url`
tickets(Path("tickets.db"))          # what is really stored, read beside the application
"""

from __future__ import annotations

from examples.maintenance.server import serve
from examples.maintenance.store import tickets
from examples.maintenance.ticket import Ticket

__all__ = ["Ticket", "serve", "tickets"]
