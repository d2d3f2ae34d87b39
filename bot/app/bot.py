"""The composition root: the only place that builds things and hands them on."""

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from socket import gethostname

import aiohttp
import httpx
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

import handlers
from bot.app.arrivals import Arrivals
from bot.app.connections import listening
from bot.app.health import Health
from bot.app.health_checks import ClockCheck, RowCheck, TokenCheck, ValueCheck
from bot.app.http_clients import http_client, slack_client, slack_session
from bot.app.in_flight import InFlight
from bot.app.probes import Probes
from bot.app.settings import Settings
from bot.app.socket_mode import Socket
from bot.app.web import probes_app, web_app
from bot.core.background import BackgroundTasks
from bot.core.deadline import answering_within
from bot.core.errors import Unavailable
from bot.core.logs import one_request
from bot.core.metrics import Metrics
from bot.guide.loading import SERVICETITAN
from bot.publishing.announcements import Announcements
from bot.publishing.engineering_channel import EngineeringChannel
from bot.publishing.home import HomePublisher
from bot.publishing.pins import Pins
from bot.publishing.publisher import Publisher
from bot.publishing.thread import Thread
from bot.reminders.reminder import ReminderSender
from bot.slack import TIMEOUT_SECONDS, Slack, SlackRefused, raise_for_rate_limit
from bot.slack.directory import Directory
from bot.slack.rate_limits import RateLimits
from bot.use_cases import Services, UseCases
from bot.use_cases.expiry import age_unused_values, destroy_old_values
from bot.use_cases.reveals import Reveals
from bot.verification.runner import VerificationRunner
from bot.verification.servicetitan import ServiceTitan
from storage import handled_requests, leases, throttling
from storage.audit.seals import Seals
from storage.database import Conflict, Database
from storage.guides import GuideStore
from storage.leases import Worker
from storage.secure_delete import Residue
from storage.vault import Vault

log = logging.getLogger(__name__)

# Bolt copies this logger's level: below WARNING it logs whole requests, credentials included.
quiet = logging.getLogger("slack_bolt")
quiet.setLevel(logging.WARNING)
# Bolt reads SLACK_BOT_TOKEN itself, and then warns that we tell it otherwise who we are.
quiet.addFilter(lambda record: "`token`" not in record.getMessage())

# An end takes ten seconds at most: for requests that are under way (Slack waits three for an
# answer), for those that are left even then, and for the tasks.
ANSWERING_SECONDS, CLOSING_SECONDS, TASKS_SECONDS = 3.5, 0.5, 4
MOST_MONITORS = 16  # connections to METRICS_PORT at once
HIDING_SECONDS = 3  # of the same time
# A refusal that we do not know is taken to be final at so many tries, after three minutes.
REFUSED_TIMES = 8
# Of the three seconds that Slack waits for an acknowledgement: for a press, which is carried on
# afterwards, and for all that has to be decided before.
PRESS_SECONDS, ANSWER_SECONDS = 1.5, 1.9
# A lease that has just ended is surely over.
A_MOMENT = 0.1
FORGET_EVERY = timedelta(hours=1)
# Slack repeats an event for a day at most (docs.slack.dev, Events API, "delayed events").
REPEATED_WITHIN = timedelta(days=2)


class Bot:
    """Everything that runs, ready to take Slack's requests."""

    working: asyncio.Task[None]

    def __init__(
        self,
        settings: Settings,
        session: aiohttp.ClientSession,
        http: httpx.AsyncClient,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        """Build the bot; nothing is connected yet. Raises GuideError for a broken guide."""
        client = slack_client(
            settings.slack_bot_token.get_secret_value(),
            settings.slack_api_url,
            session,
            settings.proxy,
            timeout=TIMEOUT_SECONDS,
            logger=quiet,
        )
        self.settings = settings
        self.metrics = Metrics()
        rate_limits = RateLimits(monotonic)
        self.slack = Slack(client, self.metrics, rate_limits)
        self.tasks, self.in_flight = BackgroundTasks(), InFlight()
        self.database = Database(
            settings.database_url, Seals(settings.keys), self.in_flight.wait_until_idle, clock
        )
        # The same name after a restart; while an earlier process lives, its port is taken.
        self.worker = Worker(f"{gethostname()}/{settings.host}:{settings.port}")
        self.guides = GuideStore(SERVICETITAN.read_text(encoding="utf-8"), SERVICETITAN.name)
        vault = Vault(settings.keys)
        self.lookups = BackgroundTasks()
        self.directory = directory = Directory(self.slack, settings.engineers, self.lookups)
        homes = HomePublisher(
            self.slack,
            self.database,
            self.guides,
            directory,
            self.tasks,
            clock,
            stalled_after=timedelta(seconds=settings.escalate_after),
            timezone=settings.business_timezone,
        )
        announcements = Announcements(
            self.slack, self.database, settings.engineering_channel, clock
        )
        self.publisher = Publisher(
            self.database,
            self.guides,
            Thread(self.slack, clock),
            announcements,
            Pins(self.slack, self.database),
            self.tasks,
            self.metrics,
            rate_limits,
            clock,
            self.worker,
            homes.changed,
        )
        servicetitan = ServiceTitan(
            http, auth_url=settings.servicetitan_auth_url, api_url=settings.servicetitan_api_url
        )
        self.verification_runner = VerificationRunner(
            self.database,
            self.guides,
            vault,
            servicetitan,
            self.publisher.wake,
            self.tasks,
            self.metrics,
            clock,
            self.worker,
        )
        self.reminder_sender = ReminderSender(
            self.database,
            self.guides,
            directory,
            self.publisher.wake,
            self.tasks,
            clock,
            remind_after=timedelta(seconds=settings.remind_after),
            escalate_after=timedelta(seconds=settings.escalate_after),
            timezone=settings.business_timezone,
        )
        self.arrivals = Arrivals(self.database, self.metrics, clock)
        self.bolt = _bolt(settings, client, self.slack, self.metrics, self.arrivals, self.tasks)
        token = settings.slack_app_token
        self.socket = Socket(self.bolt, token.get_secret_value(), self.in_flight) if token else None
        self._checks = (
            TokenCheck(self.slack, clock),
            ValueCheck(self.database, vault),
            RowCheck(self.database, self.guides, self.publisher.wake),
            self.arrivals,
            ClockCheck(self.database, clock),
        )
        self.health = Health(self.database, self.socket, self.in_flight, self.metrics)
        self.health.watch("engineering channel", announcements.warning)
        self.health.watch("Slack", self._checks[0].warning)
        self.health.watch("stored values", self._checks[1].warning)
        self.health.watch("onboardings", self._checks[2].warning)
        self.health.watch("requests", self.arrivals.warning)
        self.health.watch("clock", self._checks[4].warning)
        self.metrics.unreadable(lambda: len(self.database.unreadable.ids))
        self.residue = Residue(self.database)
        self.health.watch("destroyed values", self.residue.warning)
        self.reveals = Reveals(self.database, self.slack, self.tasks, clock)
        self.engineering = EngineeringChannel(
            self.slack, self.database, settings.engineering_channel, self.tasks, clock
        )
        services = Services(
            database=self.database,
            guides=self.guides,
            vault=vault,
            slack=self.slack,
            directory=directory,
            publisher=self.publisher,
            homes=homes,
            verification_runner=self.verification_runner,
            reminder_sender=self.reminder_sender,
            reveals=self.reveals,
            retain_for=timedelta(seconds=settings.retain_credentials_for),
            engineering_channel=settings.engineering_channel,
            engineering=self.engineering,
            clock=clock,
        )
        self._clock, self._forgot_at = clock, clock()
        self._checking = False
        self.caught_up = asyncio.Event()  # the first sweep is over
        self.use_cases = UseCases(services)
        handlers.register(self.bolt, self.use_cases, self.slack, self.tasks)

    async def work(self) -> None:
        """Find out who we are, connect, then take up again and again what was left behind.

        Ends only by SlackRefused: a token that Slack does not take.
        """
        await _until_answered("Slack", self.slack.identify)
        self.engineering.look_soon()
        self.tasks.spawn(self._name_engineers(), "name who is no engineer")
        if self.socket:
            await _until_answered("Slack", self.socket.connect)
        await _until_answered("the database", self.use_cases.channels.regained_all)
        while True:
            await self.sweep()
            self.caught_up.set()
            await asyncio.sleep(await self._until_next_sweep())

    async def _until_next_sweep(self) -> float:
        """Return the seconds until there may be something to take up: a lease ends, above all."""
        end = None
        with suppress(Unavailable):
            async with self.database.begin(write=False, background=True) as session:
                end = await leases.next_end(session, self.worker)
        interval = float(self.settings.sweep_interval)
        return min(interval, end.total_seconds() + A_MOMENT) if end else interval

    async def sweep(self) -> None:
        """Take up what a crash, an outage or a pause left behind; no part waits for another."""
        parts: tuple[Callable[[], Awaitable[object]], ...] = (
            self.publisher.sweep,
            self.reveals.sweep,
            self.verification_runner.sweep,
            self.reminder_sender.sweep,
            self._forget,
            self._destroy_old_values,
        )
        for part in parts:
            try:
                await part()
            except Unavailable as error:
                log.warning("the sweep did not get through", extra={"reason": str(error)})
            except Exception:  # a bug in one part must not end the others
                log.exception("the sweep failed")
        if not self._checking:
            self._checking = True
            self.tasks.spawn(self._check(), "check")

    async def _check(self) -> None:
        """Look a little further at what /readyz warns of; nothing else waits for it."""
        try:
            for check in self._checks:
                await check.look()
        finally:
            self._checking = False

    async def _destroy_old_values(self) -> None:
        keep = timedelta(seconds=self.settings.retain_credentials_for)
        for retire in (destroy_old_values, age_unused_values):
            await retire(self.database, self.guides, self._clock, keep, self.publisher.wake)

    async def _name_engineers(self) -> None:
        """Log which ids in ENGINEERS make nobody an engineer."""
        try:
            await self.directory.problems()
        except Unavailable as error:  # each is logged when it is asked about
            log.info("the engineers can't be looked up", extra={"reason": str(error)})

    async def _forget(self) -> None:
        """Drop the memory of old requests, now and then."""
        now = self._clock()
        if now - self._forgot_at > FORGET_EVERY:
            async with self.database.begin() as session:
                await handled_requests.forget(session, now - REPEATED_WITHIN)
                await throttling.forget(session, now - REPEATED_WITHIN)
            self._forgot_at = now

    async def retire(self) -> None:
        """Answer what is under way and what still comes, while /readyz says that we go.

        Meanwhile what we show of stored values is hidden.
        """
        if self.socket:
            ended = self.socket.close(ANSWERING_SECONDS)
        else:
            ended = self.in_flight.drain(ANSWERING_SECONDS)
        await asyncio.gather(ended, self.reveals.hide_own(HIDING_SECONDS))

    async def stop(self) -> None:
        """Take nothing new, end what is under way, close what is open."""
        self.working.cancel()
        await asyncio.gather(self.working, return_exceptions=True)
        if self.socket:
            await self.socket.close(0)
        await self.tasks.close(TASKS_SECONDS)
        await self.lookups.close(0)
        await self.database.close()


def _now() -> datetime:
    return datetime.now(UTC)


def _seconds() -> float:
    return time.monotonic()


@asynccontextmanager
async def running(
    settings: Settings,
    clock: Callable[[], datetime] = _now,
    monotonic: Callable[[], float] = _seconds,
) -> AsyncIterator[Bot]:
    """Run a bot, with its server and its connection to Slack, until the block ends.

    Pauses that Slack asks for are taken by `monotonic`, which nobody sets.

    `working` is its endless work, which ends by SlackRefused for a token that Slack does not
    take. If Slack is away, the bot starts all the same and says so at /readyz.
    """
    async with (
        slack_session(TIMEOUT_SECONDS, raise_for_rate_limit) as session,
        http_client(settings.proxy) as http,
    ):
        bot = Bot(settings, session, http, clock, monotonic)
        with bot.database.alone() as is_alone:
            try:
                with suppress(Conflict):  # another worker starts with the same guide
                    async with bot.database.begin() as transaction:
                        await bot.guides.save_newest(transaction)
                if is_alone:
                    async with bot.database.begin() as transaction:
                        await leases.end_all(transaction)
            except BaseException:
                await bot.database.close()
                raise
            bot.working = asyncio.create_task(bot.work(), name="work")
            clearing = asyncio.create_task(bot.residue.work(), name="clear residue")
            try:
                async with _served(bot):
                    yield bot
            finally:
                clearing.cancel()
                await asyncio.gather(clearing, return_exceptions=True)
                await bot.stop()


async def _until_answered(who: str, ask: Callable[[], Awaitable[object]]) -> None:
    pause, refusals = 1, 0
    while True:
        try:
            await ask()
        except (Unavailable, SlackRefused) as error:
            if isinstance(error, SlackRefused):
                refusals += 1
                if error.is_final or refusals == REFUSED_TIMES:
                    raise
            log.warning("%s does not answer yet", who, extra={"reason": str(error)})
            await asyncio.sleep(pause)
            pause = min(pause * 2, 60)
        else:
            return


@asynccontextmanager
async def _served(bot: Bot) -> AsyncIterator[None]:
    settings, secret = bot.settings, bot.settings.slack_signing_secret
    token, port = settings.metrics_token, settings.metrics_port
    probes = Probes(bot.health, bot.metrics, token.get_secret_value() if token else None)
    app = web_app(
        probes.routes(elsewhere=port is not None),
        bot.metrics,
        bot.in_flight,
        None if settings.socket_mode else bot.bolt,
        bot.arrivals,
        secret.get_secret_value() if secret else "",
    )
    async with AsyncExitStack() as ports:
        if port:
            await ports.enter_async_context(
                listening(
                    probes_app(probes),
                    *(settings.host, port, bot.metrics, CLOSING_SECONDS),
                    setting="METRICS_PORT",
                    most=MOST_MONITORS,
                )
            )
        await ports.enter_async_context(
            listening(app, settings.host, settings.port, bot.metrics, CLOSING_SECONDS)
        )
        yield


class PromptApp(AsyncApp):
    """Bolt's app; it answers in time and measures how long that took, over either transport."""

    metrics: Metrics
    arrivals: Arrivals
    tasks: BackgroundTasks

    async def async_dispatch(self, req: AsyncBoltRequest) -> BoltResponse:
        """Handle a request; whatever else takes long, Slack waits three seconds for an answer."""
        began = time.perf_counter()
        self.arrivals.came(event=req.body.get("type") == "event_callback")
        with one_request():
            if req.body.get("type") == "block_actions":
                response = await self._press(req)
            else:
                # A form or a command says itself that there was no time, and an event comes again.
                with answering_within(ANSWER_SECONDS):
                    response = await super().async_dispatch(req)
        self.metrics.acknowledged(response.status, time.perf_counter() - began)
        return response

    async def _press(self, req: AsyncBoltRequest) -> BoltResponse:
        """Handle a press, and acknowledge it meanwhile if it takes long: it counts all the same."""
        work = asyncio.create_task(super().async_dispatch(req), name="a press")
        await asyncio.wait({work}, timeout=PRESS_SECONDS)
        if work.done():
            return work.result()
        self.tasks.adopt(work)
        return BoltResponse(status=200, body="")


def _bolt(
    settings: Settings,
    client: AsyncWebClient,
    slack: Slack,
    metrics: Metrics,
    arrivals: Arrivals,
    tasks: BackgroundTasks,
) -> AsyncApp:
    async def authorize() -> AuthorizeResult:
        # Left alone, Bolt would ask Slack who we are when the first request comes, and fail it
        # if Slack does not answer.
        known = slack.cached_identity
        return AuthorizeResult(
            enterprise_id=known.enterprise_id if known else None,
            team_id=known.team_id if known else None,
            bot_user_id=known.user_id if known else None,
            bot_token=settings.slack_bot_token.get_secret_value(),
        )

    # With both of these set, Bolt would turn to its OAuth mode for many workspaces.
    os.environ.pop("SLACK_CLIENT_ID", None)
    app = PromptApp(
        client=client,
        authorize=authorize,
        # Our server has verified it, over the bytes, before Bolt sees a request.
        request_verification_enabled=False,
        ssl_check_enabled=False,
        # Bolt would drop it when somebody deletes a message of ours; handlers/messages.py passes
        # over what we write ourselves.
        ignoring_self_events_enabled=False,
        # The answer leaves when the listener returns: it commits, acknowledges, and leaves the
        # rest to tasks of our own.
        process_before_response=True,
        logger=quiet,
    )
    app.metrics, app.arrivals, app.tasks = metrics, arrivals, tasks
    return app
