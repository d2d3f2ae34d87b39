"""What people can do, and what happens to a channel: a file per feature, a method per action.

Each method finds out who asks and whether they may, makes one transaction, and has Slack brought
level. It may raise Refused, with words for the person, or Unavailable.
"""

from bot.use_cases.channels import Channels
from bot.use_cases.commands import Managing
from bot.use_cases.credentials import Credentials
from bot.use_cases.help import Help
from bot.use_cases.history import History
from bot.use_cases.home import Home
from bot.use_cases.invitations import Inviting
from bot.use_cases.messages import Words
from bot.use_cases.posted_secrets import PostedSecrets
from bot.use_cases.questions import Questions
from bot.use_cases.reminders import Reminders
from bot.use_cases.retention import Retention
from bot.use_cases.services import InvalidInput, NeedsConfirmation, Opening, Request, Services
from bot.use_cases.start import Starting
from bot.use_cases.status import Overview
from bot.use_cases.steps import Steps
from bot.use_cases.verification import Verification

__all__ = ["InvalidInput", "NeedsConfirmation", "Opening", "Request", "Services", "UseCases"]


class UseCases:
    """One attribute per feature."""

    def __init__(self, services: Services) -> None:
        """Take what they work with."""
        self.starting = Starting(services)
        self.inviting = Inviting(services, self.starting)
        self.steps = Steps(services)
        self.credentials = Credentials(services)
        self.help = Help(services)
        self.verification = Verification(services)
        self.reminders = Reminders(services)
        self.retention = Retention(services)
        self.overview = Overview(services)
        self.managing = Managing(services)
        self.history = History(services)
        self.home = Home(services)
        self.channels = Channels(services)
        self.posted_secrets = PostedSecrets(services)
        self.questions = Questions(services)
        self.words = Words(services, self.steps, self.help, self.questions)
