"""What `onboarding init` asks for, and where each answer is found."""

from dataclasses import dataclass

APPS = "https://api.slack.com/apps"
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Question:
    """A setting to ask for: where to find its value, and doctor's `findings` about it.

    `needs` are other settings that those findings need.
    """

    name: str
    flag: str
    label: str
    where: str
    findings: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    secret: bool = False


BOT_TOKEN = Question(
    "SLACK_BOT_TOKEN",
    "--bot-token",
    "Bot token (xoxb-…)",
    f"At {APPS}: Create New App, From a manifest, your workspace, JSON, paste {MANIFEST}.\n"
    "Then Install App. It shows the Bot User OAuth Token.",
    findings=("Slack token", "Slack scopes", "clock"),
    secret=True,
)
APP_TOKEN = Question(
    "SLACK_APP_TOKEN",
    "--app-token",
    "App-level token (xapp-…)",
    "Basic Information, App-Level Tokens: generate one with the scope connections:write.",
    findings=("Slack app token",),
    secret=True,
)
SIGNING_SECRET = Question(
    "SLACK_SIGNING_SECRET",
    "--signing-secret",
    "Signing Secret",
    "Basic Information, App Credentials: Signing Secret. It can't be checked before the bot runs.",
    secret=True,
)
CHANNEL = Question(
    "ENGINEERING_CHANNEL",
    "--engineering-channel",
    "Engineering channel's ID (C…)",
    "Make a channel for HeavySet's engineers only, /invite the bot there, and copy the channel's\n"
    "ID from the bottom of its About tab.",
    findings=("engineering channel",),
    needs=("SLACK_BOT_TOKEN",),
)
ENGINEERS = Question(
    "ENGINEERS",
    "--engineers",
    "Engineers",
    "They may start onboardings and see clients' credentials: member IDs (profile, ⋮, Copy member\n"
    "ID) and user group IDs, separated by commas, or the word everyone.",
    findings=("ENGINEERS", "who may reveal credentials"),
    needs=("SLACK_BOT_TOKEN",),
)


ALL = (BOT_TOKEN, APP_TOKEN, SIGNING_SECRET, CHANNEL, ENGINEERS)
