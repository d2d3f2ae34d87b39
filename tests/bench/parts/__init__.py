"""What is measured, in the order of the page."""

from tests.bench.bench import Part
from tests.bench.parts import (
    acknowledgements,
    busy_morning,
    calls,
    cpu,
    growth,
    next_step,
    profile,
    start,
    verification,
    views_open,
)

PARTS = {
    "acknowledgements": Part(
        "From a request to its acknowledgement",
        "Signed requests leave a process of their own on schedule, answered or not; the bot "
        "commits before it acknowledges. In each round, the empty stock app and the bot take "
        "turns. “One core busy”: another program keeps one core to itself; that row is the ratio "
        "to the stock app beside the same ratio on the quiet machine.",
        acknowledgements.measure,
        360,
    ),
    "cpu": Part(
        "CPU of one *Done*",
        "CPU time of the bot's process for a press and all that follows, its calls to Slack "
        "included; beside it, a stock listener that makes two calls.",
        cpu.measure,
    ),
    "views-open": Part(
        "From a press to its window",
        "Until `views.open` has reached Slack. A trigger is valid for three seconds.",
        views_open.measure,
    ),
    "next-step": Part(
        "From *Done* to the next step",
        "Slack takes 80 ms for each call; the ratio is to one call.",
        next_step.measure,
    ),
    "verification": Part(
        "A verification",
        "ServiceTitan takes 250 ms for each request; the ratio is to the token and one read.",
        verification.measure,
    ),
    "busy-morning": Part(
        "A busy morning",
        "Clients who each do a step every 30 seconds for ten minutes, and one who presses 0.3 "
        "seconds after each step appears. Slack's real limits, 80 ms a call, simulated time.",
        busy_morning.measure,
    ),
    "calls": Part(
        "Calls to Slack",
        "One onboarding with a step every 30 seconds, in simulated time.",
        calls.measure,
    ),
    "start": Part(
        "Start and memory",
        "Until `/readyz` answers, in turn with the stock app; resident memory then.",
        start.measure,
    ),
    "growth": Part(
        "10,000 running and 10,000 finished onboardings",
        "Two bots are asked in turn, one with 50 running and 50 finished onboardings; the ratio is "
        "to that one. “Loop blocked” is the longest that one callback kept the event loop busy.",
        growth.measure,
        420,
    ),
    "profile": Part(
        "Where the CPU time of a *Done*, and of a form, goes",
        "Samples of the stack, 50 presses a second.",
        profile.measure,
    ),
}
