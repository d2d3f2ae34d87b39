"""What an example looks like from outside: in Slack, and directly in the database."""

from collections import Counter
from collections.abc import Mapping

from sqlmodel import col, select

from bot.onboarding import EventKind, Onboarding
from bot.views.announcement import ANNOUNCED
from sandbox.slack import Person
from storage import credentials, onboardings
from storage.tables import EventRow
from storage.vault import Vault
from tests.builders import ALL_FIELDS, VALUES, states
from tests.integration.world import World
from tests.machine.model import LAST, NONE, RIGHT, WRONG, Model

# The event kinds that the model knows; the others follow from these, or are the bot's own.
KNOWN = {
    EventKind.ACCOUNT_CHOSEN,
    EventKind.STEP_DONE,
    EventKind.STEP_SKIPPED,
    EventKind.STEP_UNDONE,
    EventKind.STEPS_HANDED_OVER,
    EventKind.STEPS_GIVEN_BACK,
    EventKind.CREDENTIAL_ENTERED,
    EventKind.CREDENTIAL_REPLACED,
    EventKind.CREDENTIALS_REVEALED,
    EventKind.VERIFICATION_REQUESTED,
    EventKind.VERIFICATION_FINISHED,
    EventKind.HELP_ASKED,
    EventKind.REMINDED,
    EventKind.PAUSED,
    EventKind.RESUMED,
    EventKind.CANCELLED,
}


class Observer:
    """Looks at one onboarding, and at the replies to its people."""

    world: World
    people: dict[str, Person]
    onboarding: str
    _client: str
    _names: dict[str, str]  # of the people, by id
    _refusals: list[str]  # of forms
    _unanswered: int

    def _values(self, letter: str) -> Mapping[str, str]:
        return self.world.servicetitan.credentials if letter == RIGHT else VALUES

    def _is_caught_up(self) -> bool:
        mine = self.onboarding
        rows = self.world.rows
        behind = rows(
            "SELECT 1 FROM onboarding WHERE id = ? AND revision > published_revision", mine
        )
        kinds = rows(
            "SELECT kind FROM event WHERE onboarding_id = ? AND announced_ts IS NULL", mine
        )
        due = rows(
            "SELECT 1 FROM verification JOIN onboarding ON onboarding.id = onboarding_id"
            " WHERE onboarding_id = ? AND due_at IS NOT NULL AND status = 'active'",
            mine,
        )
        return not (behind or due or any(EventKind(kind) in ANNOUNCED for (kind,) in kinds))

    def _newest_event(self) -> int:
        [(newest,)] = self.world.rows("SELECT max(id) FROM event")
        return int(newest)

    def _reply_counts(self) -> Counter[str]:
        """How many private replies each person got, except confirmations."""
        replies: Counter[str] = Counter()
        for name, person in self.people.items():
            replies[name] = sum(
                not self._is_confirmation(reply.text) for reply in person.ephemerals
            )
        return replies

    def _service_failures(self) -> int:
        """How often people got no answer, or were told to try again because a service is down.

        On a busy machine, that may be the database, even without an outage.
        """
        answers = (reply.text for person in self.people.values() for reply in person.ephemerals)
        retries = sum(
            "again" in text and ("couldn't do that" in text or "isn't responding" in text)
            for text in (*answers, *self._refusals)
        )
        return retries + self._unanswered

    def _is_confirmation(self, text: str) -> bool:
        return text.startswith(self._client)

    async def _events(self, newest: int) -> Counter[tuple[str, str, int | None]]:
        async with self.world.bot.database.begin(write=False) as session:
            mine = col(EventRow.onboarding_id) == self.onboarding
            rows = await session.exec(select(EventRow).where(mine, col(EventRow.id) > newest))
            found: Counter[tuple[str, str, int | None]] = Counter()
            for row in rows:
                who = self._names.get(row.actor_user, "")
                if row.kind not in KNOWN or (row.kind, who) == (EventKind.REMINDED, ""):
                    continue
                if row.kind == EventKind.STEP_DONE and row.step in (1, LAST):
                    continue  # they follow from the choice, and from the verification
                found[(str(row.kind), who, row.step)] += 1
        return found

    async def _model(self) -> Model:
        """The stored state in the model's terms; values are decrypted and compared."""
        async with self.world.bot.database.begin(write=False) as session:
            onboarding = await onboardings.get(session, self.onboarding)
            sealed = await credentials.of(session, self.onboarding)
        assert sealed.keys() == onboarding.credentials.keys()
        vault, letters = Vault(self.world.settings.keys), dict.fromkeys(ALL_FIELDS, NONE)
        for name, ciphertext in sealed.items():
            value = vault.open(ciphertext).get_secret_value()
            [letters[name]] = [each for each in (RIGHT, WRONG) if self._values(each)[name] == value]
        asked = (
            self._names[question.by.user_id]
            for question in onboarding.questions
            if not question.passage
        )
        values = "".join(letters[name] for name in ALL_FIELDS)
        return _as_model(onboarding, values, tuple(sorted(asked)))


def _as_model(onboarding: Onboarding, values: str, asked: tuple[str, ...]) -> Model:
    run = onboarding.verification
    return Model(
        states(onboarding),
        values,
        onboarding.status.value,
        onboarding.account,
        frozenset(step.number for step in onboarding.steps if step.handed_over),
        checking=run is not None and run.report is None,
        asked=asked,
    )
