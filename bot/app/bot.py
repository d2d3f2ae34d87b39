"""The composition root: the only place that builds the bot's parts and connects them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from socket import gethostname

import aiohttp
import httpx

import handlers
from bot.app.bolt import TimedApp, quiet
from bot.app.gauges import Gauges
from bot.app.guides import guide_files, guide_store
from bot.app.health import Health
from bot.app.health_checks import ClockCheck, RowCheck, TokenCheck, ValueCheck
from bot.app.heartbeat import Heartbeat
from bot.app.http_clients import slack_client
from bot.app.in_flight import InFlight
from bot.app.request_monitor import RequestMonitor
from bot.app.settings import SLACK_API, Settings
from bot.app.socket_mode import Socket
from bot.app.sweep import Sweep
from bot.core.background import BackgroundTasks
from bot.core.errors import Unavailable
from bot.core.metrics import Metrics
from bot.guide.pictures import find_all as find_pictures
from bot.onboarding.overview import Stall
from bot.onboarding.reporting.weekly import Weekly
from bot.publishing.announcements import Announcements
from bot.publishing.check_all import RoundPublisher
from bot.publishing.digest import Digest
from bot.publishing.engineering_channel import EngineeringChannel
from bot.publishing.home import HomePublisher
from bot.publishing.notices import Notices
from bot.publishing.pictures import Pictures
from bot.publishing.pins import Pins
from bot.publishing.publisher import Publisher
from bot.publishing.thread import Thread
from bot.reminders.schedule import FollowUpCalendar
from bot.reminders.sender import ReminderSender
from bot.slack import TIMEOUT_SECONDS, Slack, SlackRefused
from bot.slack.directory import Directory
from bot.slack.rate_limits import RateLimits
from bot.use_cases import Services, UseCases
from bot.use_cases.revealed_windows import Reveals
from bot.verification.rechecks import Rechecks
from bot.verification.runner import VerificationRunner
from bot.verification.sender import Sender
from bot.verification.servicetitan import ServiceTitan
from storage.audit.seals import Seals
from storage.database import Database
from storage.leases import Worker
from storage.secure_delete import CiphertextCleaner
from storage.vault import Vault

log = logging.getLogger(__name__)

# At shutdown: for requests in flight (Slack waits three seconds), and for hiding shown values.
DRAIN_SECONDS, HIDE_SECONDS = 3.5, 3
# At the start, an unknown error from Slack counts as final after this many tries: two minutes.
MAX_REFUSALS, MAX_PAUSE_SECONDS = 8, 60


class Bot:
    """Everything that runs, ready to take Slack's requests."""

    working: asyncio.Task[None]

    def __init__(
        self,
        settings: Settings,
        *,
        session: aiohttp.ClientSession,
        http: httpx.AsyncClient,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        """Build the bot; nothing is connected yet. Raises GuideError for a broken guide."""
        self.settings, self._clock = settings, clock
        self.metrics, self.in_flight = Metrics(), InFlight()
        self.rate_limits = RateLimits(monotonic, known=settings.slack_api_url == SLACK_API)
        self.tasks, self.lookups = BackgroundTasks(), BackgroundTasks()
        self.stall = Stall(timedelta(seconds=settings.escalate_after), settings.business_timezone)
        self.follow_ups = FollowUpCalendar(settings.pace, settings.business_timezone)
        self.caught_up = asyncio.Event()  # the first sweep is over
        self._build_storage()
        self._build_slack(session)
        self._build_publishing()
        self._build_workers(http)
        self._build_use_cases()
        self._build_health(http)

    def _build_storage(self) -> None:
        settings, clock = self.settings, self._clock
        guides, seals = guide_store(settings), Seals(settings.keys)
        self.database = Database(
            settings.database_url, seals, guides, self.in_flight.wait_until_idle, clock
        )
        # The same name after a restart is safe: while an earlier process runs, its port is taken.
        self.worker = Worker(f"{gethostname()}/{settings.host}:{settings.port}")
        self.picture_sources, problems = find_pictures(
            dict(zip(guide_files(settings), guides.all, strict=True)),
            settings.guide_images,
            settings.public_url,
        )
        for name, problem in problems.items():
            log.warning("a file in GUIDE_IMAGES isn't used: it %s", problem, extra={"file": name})
        self.vault = Vault(settings.keys)
        self.cleaner = CiphertextCleaner(self.database)

    def _build_slack(self, session: aiohttp.ClientSession) -> None:
        settings = self.settings
        client = slack_client(settings, session, timeout=TIMEOUT_SECONDS, logger=quiet)
        self.slack = Slack(client, self.metrics, self.rate_limits)
        self.directory = Directory(self.slack, settings.engineers, self.lookups)
        self.requests = RequestMonitor(self.database, self.metrics, self._clock)
        self.bolt = TimedApp(
            client, self.slack, metrics=self.metrics, requests=self.requests, tasks=self.tasks
        )
        token = settings.slack_app_token
        self.socket = Socket(self.bolt, token.get_secret_value(), self.in_flight) if token else None

    def _build_publishing(self) -> None:
        database, slack, tasks, clock = self.database, self.slack, self.tasks, self._clock
        channel = self.settings.engineering_channel
        self.notices = Notices(slack=slack, database=database, channel=channel, clock=clock)
        self.homes = HomePublisher(
            slack=slack,
            database=database,
            directory=self.directory,
            tasks=tasks,
            clock=clock,
            stall=self.stall,
        )
        self.digest = Digest(
            slack=slack,
            database=database,
            notices=self.notices,
            clock=clock,
            at=Weekly.parse(self.settings.digest_at),
            stall=self.stall,
        )
        self.rounds = RoundPublisher(
            slack=slack,
            database=database,
            channel=channel,
            notices=self.notices,
            clock=clock,
        )
        self.pictures = Pictures(slack, database, self.picture_sources, clock)
        self.announcements = Announcements(
            slack=slack, database=database, channel=channel, clock=clock
        )
        self.engineering = EngineeringChannel(slack=slack, channel=channel, notices=self.notices)
        self.publisher = Publisher(
            database=database,
            thread=Thread(slack, self.pictures, clock),
            announcements=self.announcements,
            pins=Pins(slack, database),
            tasks=tasks,
            metrics=self.metrics,
            rate_limits=self.rate_limits,
            clock=clock,
            worker=self.worker,
            on_published=self.homes.changed,
        )

    def _build_workers(self, http: httpx.AsyncClient) -> None:
        settings = self.settings
        self.verification_runner = VerificationRunner(
            database=self.database,
            vault=self.vault,
            servicetitan=ServiceTitan(
                Sender(http),
                auth_url=settings.servicetitan_auth_url,
                api_url=settings.servicetitan_api_url,
            ),
            application_key=settings.servicetitan_application_key,
            wake_publisher=self.publisher.wake,
            tasks=self.tasks,
            metrics=self.metrics,
            clock=self._clock,
            worker=self.worker,
        )
        self.rechecks = Rechecks(
            database=self.database,
            clock=self._clock,
            timezone=settings.business_timezone,
            check=self.verification_runner.wake,
        )
        self.reminder_sender = ReminderSender(
            database=self.database,
            directory=self.directory,
            wake_publisher=self.publisher.wake,
            tasks=self.tasks,
            clock=self._clock,
            calendar=self.follow_ups,
        )
        self.reveals = Reveals(
            database=self.database, slack=self.slack, tasks=self.tasks, clock=self._clock
        )

    def _build_use_cases(self) -> None:
        services = Services(
            database=self.database,
            vault=self.vault,
            slack=self.slack,
            directory=self.directory,
            publisher=self.publisher,
            announcements=self.announcements,
            homes=self.homes,
            rounds=self.rounds,
            notices=self.notices,
            verification_runner=self.verification_runner,
            follow_ups=self.follow_ups,
            reveals=self.reveals,
            stall=self.stall,
            retain_for=timedelta(seconds=self.settings.retain_credentials_for),
            engineering_channel=self.settings.engineering_channel,
            engineering=self.engineering,
            tasks=self.tasks,
            clock=self._clock,
        )
        self.use_cases = UseCases(services)
        handlers.register(self.bolt, self.use_cases, self.slack, self.tasks)

    def _build_health(self, http: httpx.AsyncClient) -> None:
        settings, clock = self.settings, self._clock
        token, rows = TokenCheck(self.slack, clock), RowCheck(self.database, self.publisher.wake)
        values, clocks = ValueCheck(self.database, self.vault), ClockCheck(self.database, clock)
        gauges = Gauges(
            metrics=self.metrics,
            database=self.database,
            requests=self.requests,
            clock=clock,
            stall=self.stall,
        )
        warnings = {
            "engineering channel": self.announcements.warning,
            "Slack": token.warning,
            "stored values": values.warning,
            "onboardings": self.database.unreadable.warning,
            "requests": self.requests.warning,
            "clock": clocks.warning,
            "destroyed values": self.cleaner.warning,
        }
        self.health = Health(self.database, self.socket, self.in_flight, self.metrics, warnings)
        self.heartbeat = Heartbeat(
            health=self.health,
            database=self.database,
            slack=self.slack,
            http=http,
            channel=settings.engineering_channel,
            url=settings.heartbeat_url,
            clock=clock,
        )
        self.metrics.unreadable.set_function(lambda: len(self.database.unreadable.ids))
        self.sweep = Sweep(
            self.publisher.sweep,
            self.reveals.sweep,
            self.verification_runner.sweep,
            self.rechecks.sweep,
            self.reminder_sender.sweep,
            self.use_cases.retention.sweep,
            database=self.database,
            worker=self.worker,
            checks=[
                *(token.look, values.look, rows.look, self.requests.look, clocks.look),
                *(gauges.look, self.heartbeat.look, self.pictures.look, self.digest.look),
                *(self.use_cases.absences.look, self.rounds.look, self.engineering.look),
            ],
            tasks=self.tasks,
            interval=settings.sweep_interval,
            clock=clock,
        )

    async def work(self) -> None:
        """Identify ourselves to Slack, connect, then sweep forever.

        Ends only by SlackRefused: Slack does not accept a token.
        """
        await asyncio.to_thread(self.stall.prepare, self._clock())
        await _until_answered("Slack", self.slack.identify)
        self.tasks.spawn(self.directory.problems(), "look for unknown engineers")
        if self.socket:
            await _until_answered("Slack", self.socket.connect)
        await _until_answered("the database", self.use_cases.channels.regained_all)
        await self.heartbeat.start()
        while True:
            await self.sweep()
            self.caught_up.set()
            await asyncio.sleep(await self.sweep.seconds_until_next())

    async def retire(self) -> None:
        """Answer the requests in flight while /readyz says that we are stopping.

        Meanwhile, stored values that are on screen are hidden.
        """
        drain = self.socket.close if self.socket else self.in_flight.drain
        await asyncio.gather(drain(DRAIN_SECONDS), self.reveals.hide_own(HIDE_SECONDS))


async def _until_answered(name: str, call: Callable[[], Awaitable[object]]) -> None:
    """Repeat `call` until it succeeds; raises SlackRefused if Slack's refusal is final."""
    pause, refusals = 1, 0
    while True:
        try:
            await call()
            return
        except (Unavailable, SlackRefused) as error:
            if isinstance(error, SlackRefused):
                refusals += 1
                if error.is_final or refusals == MAX_REFUSALS:
                    raise
            log.warning("%s does not answer yet", name, extra={"reason": str(error)})
            await asyncio.sleep(pause)
            pause = min(pause * 2, MAX_PAUSE_SECONDS)
