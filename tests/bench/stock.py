"""What the bot is compared with: a stock slack-bolt app whose listeners do nothing at all.

`python -m tests.bench.stock --calls` makes two calls to Slack for each press, as any app would.
"""

import asyncio
import os
import signal
import sys
from typing import Any

from aiohttp import web
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient


async def _acknowledge(ack: AsyncAck) -> None:
    await ack()


async def _post_and_edit(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
    await ack()
    channel, blocks = body["channel"]["id"], body["message"]["blocks"]
    posted = await client.chat_postMessage(channel=channel, text="Next", blocks=blocks)
    await client.chat_update(channel=channel, ts=posted["ts"], text="Done", blocks=blocks)


async def _ready(_request: web.Request) -> web.Response:
    return web.Response(text="ready\n")


async def _serve() -> None:
    client = AsyncWebClient(os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"])
    app = AsyncApp(client=client, signing_secret=os.environ["SLACK_SIGNING_SECRET"])
    app.action("step_done")(_post_and_edit if "--calls" in sys.argv else _acknowledge)
    app.view("enter_credentials")(_acknowledge)
    server = app.web_app(path="/slack/events")
    server.add_routes([web.get("/readyz", _ready)])
    runner = web.AppRunner(server, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, os.environ["HOST"], int(os.environ["PORT"])).start()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_serve())
