"""A typed client of the server's HTTP API.

    from llava_agent.client import Client

    with Client("http://127.0.0.1:8080") as server:
        photo = server.photos.upload(Path("pump.jpg"))
        run = server.runs.wait(server.runs.inspect([photo.id]).id)
        record = server.records.get(run.result["record"])

What the server refuses is raised as the product's own errors (`NotFound`, `PermissionDenied`, ...). Importing
this package loads neither models nor the server.
"""

from llava_agent.client.client import Client
from llava_agent.client.connection import ServerFailure
from llava_agent.client.runs import Event

__all__ = ["Client", "Event", "ServerFailure"]
