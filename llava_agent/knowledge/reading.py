"""Documents are read in a process of their own: a file that hangs or exhausts a parser costs that alone."""

from __future__ import annotations

import multiprocessing
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType

from llava_agent.errors import LlavaAgentError
from llava_agent.knowledge.block import Document
from llava_agent.knowledge.errors import DocumentError
from llava_agent.knowledge.limits import ReadLimits


class DocumentReader:
    """Reads one document after the other within limits.

    The process is started at the first one, and again after a document that had to be stopped.
    """

    def __init__(self, limits: ReadLimits | None = None) -> None:
        self.limits = limits or ReadLimits()
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None

    def read(self, path: Path) -> Document:
        """Raises DocumentError."""
        pipe = self._started()
        try:
            pipe.send(path)
            if not pipe.poll(self.limits.seconds):
                raise DocumentError(
                    f"{path.name} could not be read within {self.limits.seconds:g} seconds", "divide it first"
                )
            answer: Document | tuple[str, str] = pipe.recv()
        except DocumentError:
            self.close()
            raise
        except (EOFError, OSError) as error:
            self.close()
            raise DocumentError(
                f"{path.name} could not be read: it exhausts the program that reads it",
                "check where it comes from",
            ) from error
        if isinstance(answer, tuple):
            raise DocumentError(*answer)
        return answer

    def close(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
        if self._process is not None:
            self._process.kill()
            self._process.join()
        self._process = self._pipe = None

    def __enter__(self) -> DocumentReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _started(self) -> Connection:
        if self._pipe is None or self._process is None or not self._process.is_alive():
            self.close()
            # `spawn`: a copy of this process would hold its threads' locks and its database connections.
            context = multiprocessing.get_context("spawn")
            ours, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(theirs, self.limits), daemon=True)
            self._process.start()
            theirs.close()
            self._pipe = ours
        return self._pipe


def _serve(pipe: Connection, limits: ReadLimits) -> None:
    """Answers each path with a document, or with the sentence and the mend of what is wrong with it."""
    from llava_agent.knowledge.formats import read_document

    _bound_memory(limits.memory)
    while True:
        try:
            path: Path = pipe.recv()
        except (EOFError, KeyboardInterrupt):
            return
        try:
            pipe.send(read_document(path, limits))
        except LlavaAgentError as error:
            pipe.send((error.what, error.mend))
        except (MemoryError, RecursionError):
            pipe.send((f"{path.name} needs more memory than a manual does", "check where it comes from"))
        except Exception as error:  # a parser's bug costs this document, not those after it
            pipe.send(
                (f"{path.name} could not be read ({type(error).__name__}: {error})", "convert it first")
            )


def _bound_memory(size: int) -> None:
    try:
        import resource
    except ImportError:  # not on Windows: then the time limit alone holds
        return
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
