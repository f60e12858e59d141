"""An HTTP API as a tool: from its OpenAPI document, or a plain call to a listed host.

    document = await load("http://127.0.0.1:8000/openapi.json", allow)
    async with ApiClient(document, allow) as client:
        answer = await client.call(client.operation("get_ticket"), {"id": 7})

`ApiSurface` shows the same client to an agent as a form.
"""

from tools.api.client import ApiClient, ApiResponse, HttpCall, InvalidArgument, bind
from tools.api.document import Document, load, parse
from tools.api.operation import Operation, Parameter, operations
from tools.api.schema import Refused, coerce
from tools.api.surface import ApiSurface

__all__ = [
    "ApiClient",
    "ApiResponse",
    "ApiSurface",
    "Document",
    "HttpCall",
    "InvalidArgument",
    "Operation",
    "Parameter",
    "Refused",
    "bind",
    "coerce",
    "load",
    "operations",
    "parse",
]
