"""Serves the guide's pictures at PUBLIC_URL, for Slack to download."""

from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from bot.guide.pictures import PictureFile

HEADERS = {
    # The content at an address never changes: another picture gets another address.
    "Cache-Control": "public, max-age=86400",
    "Content-Security-Policy": "default-src 'none'",
    "X-Content-Type-Options": "nosniff",
}


def routes(files: Sequence[tuple[str, PictureFile]]) -> Sequence[web.RouteDef]:
    """Return a route for each path; no name in a request leads to a file on the disk."""
    return [web.get(path, _serves(file)) for path, file in files]


def _serves(file: PictureFile) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def serve(_request: web.Request) -> web.Response:
        return web.Response(body=file.content, content_type=file.content_type, headers=HEADERS)

    return serve
