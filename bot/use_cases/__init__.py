"""What people can do, and what happens to channels: a file per feature, a method per action.

Each method determines who is asking and whether they may, runs one transaction, and has Slack
updated. It may raise Refused, with a text for the person, or Unavailable.
"""

from bot.use_cases.absences import Absences
from bot.use_cases.after_go_live import AfterGoLive
from bot.use_cases.assignments import Assignments
from bot.use_cases.channels import Channels
from bot.use_cases.client_questions import ClientQuestions
from bot.use_cases.commands import EngineerCommands
from bot.use_cases.credentials import Credentials
from bot.use_cases.engineer_replies import EngineerReplies
from bot.use_cases.history import History
from bot.use_cases.home import Home
from bot.use_cases.invitations import Invitations
from bot.use_cases.messages import Messages
from bot.use_cases.notes import Notes
from bot.use_cases.posted_secrets import PostedSecrets
from bot.use_cases.quiet_clients import QuietClients
from bot.use_cases.reporting import Reporting
from bot.use_cases.retention import Retention
from bot.use_cases.reveal_credentials import RevealCredentials
from bot.use_cases.services import (
    InvalidInput as InvalidInput,
    Opening as Opening,
    Request as Request,
    Services as Services,
)
from bot.use_cases.start import Start
from bot.use_cases.status import StatusReport
from bot.use_cases.steps import Steps
from bot.use_cases.verification import Verification


class UseCases:
    def __init__(self, services: Services) -> None:
        self.start = Start(services)
        self.invitations = Invitations(services, self.start)
        self.steps = Steps(services)
        self.credentials = Credentials(services)
        self.reveal_credentials = RevealCredentials(services)
        self.client_questions = ClientQuestions(services)
        self.verification = Verification(services)
        self.quiet_clients = QuietClients(services)
        self.after_go_live = AfterGoLive(services)
        self.retention = Retention(services)
        self.status = StatusReport(services)
        self.commands = EngineerCommands(services)
        self.assignments = Assignments(services)
        self.absences = Absences(services)
        self.notes = Notes(services)
        self.history = History(services)
        self.reporting = Reporting(services)
        self.home = Home(services)
        self.channels = Channels(services)
        self.posted_secrets = PostedSecrets(services)
        self.engineer_replies = EngineerReplies(services)
        self.messages = Messages(services, self.steps, self.client_questions, self.engineer_replies)
