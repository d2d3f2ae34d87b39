"""The page's HTTP server, on loopback only."""

import asyncio
import contextlib
import signal
import socket
import sys
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler
from multidict import MultiDict

from sandbox.slack import NotOfferedError
from sandbox.slack.pictures import content_of, type_of
from sandbox.web.acts import ACTS, clear_notice, fill
from sandbox.web.director import DIRECTIONS
from sandbox.web.page import render
from sandbox.web.session import Session

STATIC = Path(__file__).parent / "static"
LARGEST_FORM = 256 * 1024
A_BREATH = 0.08  # changes that happen together are sent to the page once
KEEP_ALIVE = 15.0
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
SESSION: web.AppKey[Session] = web.AppKey("session", Session)
CLOSING: web.AppKey[asyncio.Event] = web.AppKey("closing", asyncio.Event)


def application(session: Session) -> web.Application:
    """The page, its files, its stream of changes, and what it posts."""
    app = web.Application(middlewares=[_guarded], client_max_size=LARGEST_FORM)
    app[SESSION], app[CLOSING] = session, asyncio.Event()
    app.router.add_get("/", _page)
    app.router.add_get("/events", _events)
    app.router.add_get("/picture", _picture)
    app.router.add_post("/act", _act)
    app.router.add_post("/direct", _direct)
    app.router.add_static("/static", STATIC)
    app.on_shutdown.append(_let_go)
    return app


@web.middleware
async def _guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Accept only requests from this server's pages, not from other sites in the same browser."""
    port = request.transport.get_extra_info("sockname")[1] if request.transport else 0
    own = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}
    origin = request.headers.get("Origin")
    is_foreign = request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")
    if (
        request.host not in own
        or (origin is not None and origin.removeprefix("http://") not in own)
        or (is_foreign and request.path != "/")
    ):
        return web.Response(status=403, text="Only this page may ask.\n")
    try:
        response = await handler(request)
    except web.HTTPNotFound:
        response = web.Response(status=404, text="There is only one page here: /\n")
    except web.HTTPRequestEntityTooLarge:
        error = f"That's too long: this page takes {LARGEST_FORM // 1024} KB at most."
        response = web.json_response({"error": error}, status=413)
    if not response.prepared:
        response.headers.update(HEADERS)
    return response


async def _page(request: web.Request) -> web.Response:
    html = render(request.app[SESSION], request.query)
    return web.Response(text=html, content_type="text/html")


async def _picture(request: web.Request) -> web.Response:
    """A picture of a message, as the pretend Slack received it: `?id=` a file, or `?image_url=`."""
    url, slack = request.query.get("image_url"), request.app[SESSION].now.scene.slack
    image = {"image_url": url} if url else {"slack_file": {"id": request.query.get("id", "")}}
    content = content_of(slack, image)
    if content is None:
        raise web.HTTPNotFound
    return web.Response(body=content, content_type=type_of(content) or "")


async def _events(request: web.Request) -> web.StreamResponse:
    """Send an event whenever something has changed: the page then reloads (server-sent events)."""
    session, closing = request.app[SESSION], request.app[CLOSING]
    stream = web.StreamResponse(headers={"Content-Type": "text/event-stream", **HEADERS})
    await stream.prepare(request)
    with contextlib.suppress(ConnectionError):
        while not closing.is_set():
            await stream.write(f"data: {session.generation}\n\n".encode())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(KEEP_ALIVE):
                    await session.changed()
            await asyncio.sleep(A_BREATH)
    return stream


async def _act(request: web.Request) -> web.Response:
    """Do what a person does; if Slack doesn't offer that to them, they get a notice."""
    session, form = request.app[SESSION], await _form(request)
    if stale := _stale(session, form):
        return stale
    act = ACTS.get(form.get("act", ""))
    if act is None:
        return web.json_response({"error": "There is no such act."}, status=400)
    who = form.get("who", "")
    try:
        person = session.person(who)
        if act not in (fill, clear_notice):
            session.now.notices[who].clear()
        await act(session, person, form)
    except NotOfferedError as error:
        session.notice(who, f"Slack doesn't offer that: {error}.")
        return web.json_response({"error": str(error)}, status=409)
    return web.json_response({})


async def _direct(request: web.Request) -> web.Response:
    session, form = request.app[SESSION], await _form(request)
    if stale := _stale(session, form):
        return stale
    try:
        await DIRECTIONS[form.get("direct", "")](session, form.get("value", ""))
        session.touch()
    except KeyError:
        return web.json_response({"error": "There is no such direction."}, status=400)
    except NotOfferedError as error:
        return web.json_response({"error": str(error)}, status=409)
    return web.json_response({})


async def _form(request: web.Request) -> MultiDict[str]:
    """The posted fields, without uploaded files."""
    posted = await request.post()
    fields = ((str(name), value) for name, value in posted.items())
    return MultiDict((name, value) for name, value in fields if isinstance(value, str))


def _stale(session: Session, form: MultiDict[str]) -> web.Response | None:
    """The answer to a page from before the last “start over”; None for a current one."""
    if form.get("generation") == str(session.generation):
        return None
    error = "This page is from before the last “start over”: it loads again."
    return web.json_response({"error": error, "reload": True}, status=409)


async def _let_go(app: web.Application) -> None:
    app[CLOSING].set()
    app[SESSION].touch()


async def serve(port: int = 0) -> int:
    """Serve the page until SIGTERM or Ctrl-C, then stop everything that was started."""
    try:
        own = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        print(f"Port {port} can't be used ({error.strerror}): try --port 0", file=sys.stderr)
        return 1
    session, stop = Session(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    runner = web.AppRunner(application(session), access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await session.start()
        await web.SockSite(runner, own).start()
        print(f"http://127.0.0.1:{own.getsockname()[1]}/", flush=True)
        await stop.wait()
    finally:
        await runner.cleanup()
        own.close()
        await session.close()
    return 0
