"""The list of what can be typed after `/servicetitan`."""

from bot.views.blocks import EphemeralReply, context, section

HELP = (
    ("start [client]", "start an onboarding in this channel"),
    ("start Acme invite ann@acme.com", "create a channel, invite the client, and start there"),
    ("start Acme guide ID", "start with another guide; a wrong ID lists them all"),
    ("status [client | mine | stuck | all]", "show progress (in a client's channel: that client)"),
    ("history [client]", "show who did what, when, and how long it took"),
    ("report [30d | 90d | all]", "show how long onboardings take, and where they get stuck"),
    ("credentials [client]", "show which credentials are in, and who entered them"),
    ("verify [client]", "check the credentials now"),
    ("check all", "check every live client, and show who needs a fix"),
    ("remind [client]", "send a reminder in the thread"),
    ("assign @engineer [client]", "reassign; also `assign @lee Acme, Bolt` or `all of @erin`"),
    ("away until DAY @engineer", "have a colleague take over your clients; `back` ends it"),
    ("skip N [client]", "skip step N, or several: `skip 3-8`"),
    ("done N-M [client]", "mark steps done that were done before: `done 1-17`"),
    ("note TEXT", "keep a private note; elsewhere, name the client: `note Acme: …`"),
    ("reopen N [client]", "go back to step N"),
    ("pause [client]", "put it on hold, no reminders"),
    ("resume [client]", "resume it"),
    ("cancel [client]", "end it and delete its credentials"),
    ("help", "show this list"),
)


def help_answer(problem: str | None = None) -> EphemeralReply:
    """Return the list of commands, after `problem` if there was one."""
    blocks = [section(problem)] if problem else []
    commands = "\n".join(f"•  `/servicetitan {command}` — {what}" for command, what in HELP)
    hint = "In a client's channel you can leave out the name. Part of a name is enough."
    return [*blocks, section(f"*What I can do*\n{commands}"), context(hint)]
