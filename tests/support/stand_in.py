"""A page, a socket and a mistake: what the harness is tried on. uvicorn tests.support.stand_in:app"""

import logging

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

PAGE = """<!doctype html><html lang="en"><head><title>Stand-in</title>
<link rel="icon" href="data:,"></head><body><h1>Hello</h1><p id="p">{}</p></body></html>"""


async def page(request: Request) -> Response:
    policy = {"Content-Security-Policy": "default-src 'none'; img-src data:"}
    inline = "<script>1</script>" if "inline" in request.query_params else ""
    return HTMLResponse(PAGE.format(inline), headers=policy)


async def ready(_: Request) -> Response:
    return PlainTextResponse("ready")


async def broken(_: Request) -> Response:
    logging.getLogger("uvicorn.error").error("Traceback (most recent call last): a mistake")
    return PlainTextResponse("broken", status_code=500)


async def echo(socket: WebSocket) -> None:
    if socket.headers.get("origin") != f"http://{socket.headers['host']}":
        await socket.close(4403)
        return
    await socket.accept()
    async for text in socket.iter_text():
        if text == "bye":
            await socket.close(4400, "as you wish")
            return
        await socket.send_json({"type": "echo", "text": text})


app = Starlette(
    routes=[
        Route("/", page),
        Route("/ready", ready),
        Route("/broken", broken),
        WebSocketRoute("/ws", echo),
    ]
)
