"""Serving the page to this machine: a loopback address, a guard before everything, no files."""

import json
import re
import socket
from typing import TYPE_CHECKING, Any

import gradio as gr
import uvicorn
from fastapi import FastAPI
from gradio_client.utils import is_file_obj_with_meta
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from infogan.errors import ConfigError
from infogan.explorer.answers import UPLOAD
from infogan.explorer.page import STYLE, THEME

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOST = "127.0.0.1"

HOSTS = (HOST, "localhost")
"""What a browser on this machine calls it. Another name is a page elsewhere that has its name point here."""

SESSIONS = 100
"""Whose state is kept; beyond it the one that was silent longest starts afresh."""

LARGEST_BODY = UPLOAD * 4 // 3 + 2**16
"""Bytes of a request: a picture in base64, and what goes with it."""

NEEDED = {
    "GET": re.compile(
        r"/(|theme\.css|favicon\.ico|manifest\.json|config|assets/.*|static/.*|"
        r"gradio_api/(info|startup-events|app_id|queue/data|heartbeat/\w+))"
    ),
    "POST": re.compile(r"/gradio_api/(run/\w+|queue/join|cancel|reset)/?"),
}
"""The routes that the page uses. Those of files, uploads, proxies and the like are not among them."""

POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; frame-ancestors 'none'; form-action 'none'; base-uri 'self'"
)
"""The browser loads nothing from elsewhere. The page's own library writes scripts and styles into the page."""


class Guard:
    """What comes before the page: refuses requests that the page does not make, and tells the browser to load nothing
    from elsewhere."""

    def __init__(self, app: "ASGIApp") -> None:
        self.app = app

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return
        refusal = refused(scope)
        if refusal is None and scope["method"] == "POST":
            body = await Request(scope, receive).body()
            refusal = refused_body(body)
            receive = _replayed(body, receive)

        async def send_with_policy(message: "Message") -> None:
            if message["type"] == "http.response.start":
                added = {"content-security-policy": POLICY, "x-content-type-options": "nosniff"}
                message["headers"] = [*message["headers"], *((k.encode(), v.encode()) for k, v in added.items())]
            await send(message)

        answer = self.app if refusal is None else refusal
        await answer(scope, receive, send_with_policy)


def refused(scope: "Scope") -> PlainTextResponse | None:
    """The answer to a request that is refused by its head; None to one that is not."""
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    if _name(headers.get("host", "")) not in HOSTS or (origin is not None and _name(origin) not in HOSTS):
        return PlainTextResponse("this page is for this machine alone", 403)
    allowed = NEEDED.get("GET" if scope["method"] == "HEAD" else scope["method"])
    if allowed is None or not allowed.fullmatch(scope["path"]):
        return PlainTextResponse("there is no such page", 404)
    if scope["method"] == "POST":
        if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return PlainTextResponse("JSON is expected", 415)
        length = headers.get("content-length", "")
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            return PlainTextResponse("the request is too large, or does not say how large it is", 413)
    return None


def refused_body(body: bytes) -> PlainTextResponse | None:
    """The answer to a body that is no JSON object, or that names a file: gradio would open or fetch it."""
    try:
        value = json.loads(body)
        if isinstance(value, dict) and not _names_file(value):
            return None
    except (ValueError, RecursionError):
        pass
    return PlainTextResponse("the request is not one of the page's", 400)


def _names_file(value: Any) -> bool:
    if is_file_obj_with_meta(value):
        return True
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(_names_file(part) for part in parts)


def _name(address: str) -> str:
    """`http://localhost:7860`, `localhost:7860` → `localhost`."""
    return address.rpartition("//")[2].partition(":")[0]


def _replayed(body: bytes, receive: "Receive") -> "Receive":
    """`receive` as if the body had not been read."""
    unread = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> "Message":
        return unread.pop() if unread else await receive()

    return receive_again


def listening(port: int | None) -> socket.socket:
    """A socket that listens on the loopback address, at any free port for None. Raises ConfigError where it cannot."""
    address = socket.socket(proto=socket.IPPROTO_TCP)  # named, else asyncio leaves Nagle's delay of 40 ms an answer
    address.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        address.bind((HOST, port or 0))
        address.listen()
    except OSError as error:
        address.close()
        raise ConfigError(f"port={port}: it cannot be had ({error.strerror}); port=null takes a free one") from None
    return address


def guarded(page: gr.Blocks) -> Guard:
    """The page as an ASGI application."""
    page.state_session_capacity = SESSIONS
    page.queue(max_size=20)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    gr.mount_gradio_app(
        app, page, "/", server_name=HOST, footer_links=[], run_history=False, allowed_paths=[], show_error=False,
        ssr_mode=False, enable_monitoring=False, pwa=False, mcp_server=False, theme=THEME,
        css=STYLE.read_text(encoding="utf-8"),
    )  # fmt: skip
    return Guard(app)


def serve(page: gr.Blocks, address: socket.socket) -> None:
    """Serves until a signal asks to end, which is then raised as Stopped."""
    config = uvicorn.Config(guarded(page), log_level="warning", timeout_graceful_shutdown=1, server_header=False)
    uvicorn.Server(config).run(sockets=[address])
