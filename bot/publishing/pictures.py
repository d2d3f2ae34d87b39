"""Gets the guide's pictures into Slack: uploads files once, and remembers what Slack refuses.

Nothing waits for a picture: until Slack has it, and if Slack refuses it, steps show text instead.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from bot.core.errors import Unavailable
from bot.guide import Step
from bot.guide.pictures import Picture, PictureFile, PictureSources
from bot.slack import Slack, SlackRefused
from bot.views.blocks import Message, picture_keys
from storage import pictures
from storage.database import Conflict, Database
from storage.pictures import Upload

log = logging.getLogger(__name__)

SCOPE = "files:write"
# Slack's errors about the pictures of a message (docs.slack.dev, chat.postMessage); the others can
# also mean that an organization accepts no files in shared channels.
BAD_PICTURE = "invalid_blocks"
REFUSED_PICTURE = {
    BAD_PICTURE,
    "invalid_arguments",
    "invalid_attachments",
    "file_not_found",
    "slack_connect_blocked_file_type",
    "slack_connect_file_link_sharing_blocked",
}
# Slack needs a few moments for a new file; sometimes it can't get a picture that it could get
# before (github.com/slackapi/python-slack-sdk/issues/1782).
PROCESSING, REST = timedelta(seconds=10), timedelta(minutes=10)
# A claim of this age was left behind by a worker that died.
CLAIM_EXPIRES = timedelta(minutes=5)
# A lost file is uploaded again right away, and then not again for this long.
UPLOAD_INTERVAL = timedelta(days=1)
PAUSE_AFTER_REFUSAL, PAUSE_AFTER_FAILURE = timedelta(hours=1), timedelta(minutes=1)


class Pictures:
    """The pictures that Slack can show now."""

    def __init__(
        self,
        slack: Slack,
        database: Database,
        sources: Sequence[PictureSources],
        clock: Callable[[], datetime],
    ) -> None:
        self._slack, self._database = slack, database
        self._sources, self._clock = sources, clock
        self._uploaded: dict[str, str] = {}  # file ids by the picture's digest
        self._refused: dict[str, datetime] = {}  # when to try again, by URL or file id
        self._logged: set[tuple[str, ...]] = set()
        self._paused_until: datetime | None = None

    def of(self, step: Step) -> Sequence[Picture]:
        """Return the pictures of a step that Slack is likely to accept now."""
        now = self._clock()
        every = (sources.of(step, self._uploaded) for sources in self._sources)
        found: Sequence[Picture] = next(filter(None, every), ())
        return [one for one in found if self._refused.get(one.url or one.file_id, now) <= now]

    def refused(self, message: Message, code: str) -> None:
        """Record that Slack accepted a message only without its pictures."""
        text = "Slack refuses a picture; words replace it"
        self._warn_once(text, slot=message.slot, code=code)
        if code == BAD_PICTURE:  # a file may be gone
            self._refused |= dict.fromkeys(picture_keys(message), self._clock() + REST)
            self._uploaded = {
                digest: file_id
                for digest, file_id in self._uploaded.items()
                if file_id not in self._refused
            }

    async def look(self) -> None:
        """Upload what Slack lacks; called by each sweep."""
        files = [one for sources in self._sources for one in sources.to_upload]
        missing = [one for one in files if one.digest not in self._uploaded]
        if not missing or not self._may_upload():
            return
        async with self._database.begin(write=False, background=True) as session:
            known = await pictures.by_digest(session)
        try:
            for file in missing:
                await self._look_at(file, known.get(file.digest))
        except SlackRefused as error:
            self._paused_until = self._clock() + PAUSE_AFTER_REFUSAL
            self._warn_once("cannot upload the guide's pictures", code=error.code)
        except Unavailable as error:
            self._paused_until = self._clock() + PAUSE_AFTER_FAILURE
            log.info("cannot upload the guide's pictures yet", extra={"reason": str(error)})

    def _warn_once(self, text: str, **extra: str) -> None:
        warning = (text, *extra.values())
        if warning not in self._logged:
            self._logged.add(warning)
            log.warning(text, extra=extra)

    def _may_upload(self) -> bool:
        if self._paused_until and self._clock() < self._paused_until:
            return False
        identity = self._slack.cached_identity
        return identity is not None and (not identity.scopes or SCOPE in identity.scopes)

    async def _look_at(self, file: PictureFile, known: Upload | None) -> None:
        """Use a file that is in Slack already, or upload it unless another worker does."""
        age = self._clock() - known.since if known else timedelta()
        if known and known.file_id and known.file_id not in self._refused:
            if age >= PROCESSING:
                self._uploaded[file.digest] = known.file_id
            return
        wait = CLAIM_EXPIRES
        if known and known.file_id:
            wait = UPLOAD_INTERVAL if known.count > 1 else timedelta()
        if known and age < wait:
            return
        try:
            async with self._database.begin(background=True) as session:
                if not await pictures.claim(session, file.digest, known, self._clock()):
                    return
        except Conflict:
            return
        await self._upload(file)

    async def _upload(self, file: PictureFile) -> None:
        try:
            file_id = await self._slack.upload(file.name, file.content)
        except (SlackRefused, Unavailable):
            async with self._database.begin(background=True) as session:
                await pictures.drop(session, file.digest)
            raise
        async with self._database.begin(background=True) as session:
            await pictures.record(session, file.digest, file_id, self._clock())
        log.info("uploaded a picture of the guide", extra={"file": file.name})
