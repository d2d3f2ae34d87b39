"""Serves the guide's pictures at PUBLIC_URL, for Slack to download."""

from collections.abc import Iterable, Iterator
from functools import partial

from aiohttp import web

from bot.guide.pictures import PictureFile, PictureSources

HEADERS = {
    # The content at an address never changes: another picture gets another address.
    "Cache-Control": "public, max-age=86400",
    "Content-Security-Policy": "default-src 'none'",
    "X-Content-Type-Options": "nosniff",
}


def picture_routes(guides: Iterable[PictureSources]) -> Iterator[web.RouteDef]:
    """Yield a route for each picture; no name in a request leads to a file on the disk."""
    for sources in guides:
        for path, file in sources.served:
            yield web.get(path, partial(_serve, file))


async def _serve(file: PictureFile, _request: web.Request) -> web.Response:
    return web.Response(body=file.content, content_type=file.content_type, headers=HEADERS)
