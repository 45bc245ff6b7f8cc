"""Server of `costcalc serve`: the playground, for a single browser on this machine that knows its address.

Other sites in that browser, and host names that resolve to this machine, cannot reach it: a request is answered only if
it has this exact host, no other origin, and a random path. Threads talk to the browser; the main thread answers one
request at a time, within the limits of a command.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Full, Queue
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .. import limits
from ..allowance import ticking, without
from ..analysis.page.live import GRAPHS, Engine
from ..records import NamedTuple
from ..render.html_file import BUILT, playground

ADDRESS = "127.0.0.1"
WAITING = 8  # maximum waiting requests
WAKES = 0.5  # seconds between checks for Ctrl-C
SLOW = 30  # timeout in seconds for parts of a request
PIECE = 65_536  # bytes read at once
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Refusal(Exception):
    """A refused request: its status and the reason."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


class Job(NamedTuple):
    """A question for the main thread, and a future for the answer."""

    ask: Callable[[], dict[str, Any]]
    answer: Future[dict[str, Any]]


class Server(ThreadingHTTPServer):
    """The server: `url` is the address to open; `work` answers until Ctrl-C."""

    daemon_threads = True
    request_queue_size = 32

    def __init__(self, engine: Engine, first: Mapping[str, Any], port: int = 0) -> None:
        super().__init__((ADDRESS, port), Handler)
        self.engine, self.first = engine, first
        self.token = secrets.token_urlsafe(24)
        self.jobs: Queue[Job] = Queue(WAITING)
        self.names = tuple(f"{host}:{self.server_port}" for host in (ADDRESS, "localhost"))
        self.files = _files()

    @property
    def url(self) -> str:
        """Address with the token in its path."""
        return f"http://{ADDRESS}:{self.server_port}/{self.token}/"

    def work(self) -> None:
        """Answer questions one at a time, each within the limits of a command."""
        with without(), ticking():
            while True:
                try:
                    ask, answer = self.jobs.get(timeout=WAKES)
                except Empty:  # lets a pending Ctrl-C be handled
                    continue
                try:
                    answer.set_result(ask())
                except Exception as error:  # a bug: report it and continue with the next question
                    answer.set_exception(error)

    def asked(self, ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Answer from the main thread. Raises Refusal if too many requests wait."""
        job = Job(ask, Future())
        try:
            self.jobs.put_nowait(job)
        except Full:
            raise Refusal(503, "too many requests are waiting") from None
        try:
            return job.answer.result()
        except Exception as error:
            raise Refusal(500, f"this is a bug: {type(error).__name__}") from error

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a browser that closed the connection."""


def _files() -> dict[str, tuple[str, bytes]]:
    """Static files of the playground: name -> (type, bytes)."""
    from ..read.spec.schema import schema

    types = {"play.js": "text/javascript", "play.css": "text/css"}
    files = {name: (f"{kind}; charset=utf-8", (BUILT / name).read_bytes()) for name, kind in types.items()}
    return {**files, "schema.json": ("application/json", json.dumps(schema()).encode())}


class Handler(BaseHTTPRequestHandler):
    """One request: checked before it is read, read within its limit, answered by the engine."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "costcalc", ""
    timeout = SLOW

    def do_GET(self) -> None:
        """Serve the page and its files."""
        self._guarded(self._file)

    do_HEAD = do_GET

    def do_POST(self) -> None:
        """Answer a question to the engine, or take a model's file."""
        self._guarded(self._asked)

    def _guarded(self, act: Callable[[str, dict[str, list[str]]], None]) -> None:
        try:
            path, query = self._trusted()
            act(path, query)
        except Refusal as refusal:
            self.close_connection = True  # unread data must not be parsed as another request
            self._send(refusal.status, "text/plain; charset=utf-8", f"{refusal.why}\n".encode())

    def _trusted(self) -> tuple[str, dict[str, list[str]]]:
        """Path after the token, and query, of a request from the page itself. Raises Refusal for any other request."""
        own = self.server.names
        if self.headers.get_all("Host") not in [[name] for name in own]:
            raise Refusal(421, "this is not an address of this server")
        if self.headers.get("Origin") not in (None, *(f"http://{name}" for name in own)):
            raise Refusal(403, "another site asks")
        if self.headers.get("Sec-Fetch-Site") not in (None, "same-origin", "none"):
            raise Refusal(403, "another site asks")
        try:
            parts = urlsplit(self.path)
            query = parse_qs(parts.query, max_num_fields=8)
        except ValueError:
            raise Refusal(400, "the address is invalid") from None
        _, token, path = (*parts.path.split("/", 2), "", "")[:3]
        if not hmac.compare_digest(token.encode(), self.server.token.encode()):
            raise Refusal(404, "open the address that `costcalc serve` printed")
        return path, query

    def _file(self, path: str, query: dict[str, list[str]]) -> None:
        if path == "":
            data = self.server.asked(lambda: self.server.engine.opening(self.server.first))
            html = playground(data, self.server.token)
            return self._send(200, "text/html; charset=utf-8", html.encode("utf-8", "backslashreplace"))
        if path not in self.server.files:
            raise Refusal(404, "there is no such file")
        return self._send(200, *self.server.files[path])

    def _asked(self, path: str, query: dict[str, list[str]]) -> None:
        own = self.headers.get("X-Costcalc-Token", "")
        if not hmac.compare_digest(own.encode("utf-8", "replace"), self.server.token.encode()):
            raise Refusal(403, "the token of the page is missing")
        acts = {"ask": ("application/json", self._ask), "hold": ("application/octet-stream", self._hold)}
        if path not in acts:
            raise Refusal(404, "there is no such question")
        kind, act = acts[path]
        if self.headers.get_content_type() != kind:
            raise Refusal(415, f"the body is not {kind}")
        answer = json.dumps(act(query), allow_nan=False).encode()
        self._send(200, "application/json", answer)

    def _ask(self, query: dict[str, list[str]]) -> dict[str, Any]:
        body = self.rfile.read(self._size(2 * limits.FILE_BYTES))  # escapes in JSON may double the size of a text
        try:
            request = json.loads(body)
        except (ValueError, RecursionError):
            raise Refusal(400, "the body is not JSON") from None
        return self.server.asked(lambda: self.server.engine.answer(request))

    def _hold(self, query: dict[str, list[str]]) -> dict[str, Any]:
        key, name = (query.get(one, [""])[0] for one in ("key", "name"))
        suffix = os.path.splitext(name)[1].lower()
        left = self._size(limits.GRAPH_FILE_BYTES)
        if not key or suffix not in GRAPHS:
            raise Refusal(400, "a file needs a key, and a name with the suffix of a model")
        with tempfile.TemporaryDirectory(prefix="costcalc-") as folder:
            path = os.path.join(folder, f"model{suffix}")  # only the suffix of the name is used
            with open(path, "xb") as file:
                while left > 0 and (piece := self.rfile.read(min(left, PIECE))):
                    left -= file.write(piece)
            if left:
                raise Refusal(400, "the body ends before its length")
            return self.server.asked(lambda: self.server.engine.hold(key, name, path))

    def _size(self, most: int) -> int:
        """Length of the body. Raises Refusal if it is missing or too large."""
        given = self.headers.get_all("Content-Length") or []
        if self.headers.get("Transfer-Encoding") is not None or len(given) != 1 or not given[0].isdecimal():
            raise Refusal(411, "the length of the body is missing")
        if len(given[0]) > 12 or int(given[0]) > most:
            raise Refusal(413, f"the body is larger than {most:,} bytes")
        return int(given[0])

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **HEADERS}.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing: the output of the command is its address."""
