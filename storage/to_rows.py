"""Turns an `Onboarding` into rows."""

import re
from typing import Any

from bot.core.typed_text import folded
from bot.onboarding import Onboarding, StepProgress, Verification
from bot.onboarding.targets import phase_began

# What a transition may change and what is stored as is.
PLAIN = (
    *("channel", "engineer", "covers_for", "client_team", "account", "reason", "timezone"),
    *("turn_at", "active_at", "finished_at", "destroyed_at"),
)


def columns(onboarding: Onboarding) -> dict[str, Any]:
    """Return the columns that a transition may change, including derived ones."""
    latest = onboarding.verification
    if latest and latest.recheck:  # after go-live, it counts only once it has a result
        latest = onboarding.last_verdict
    report = latest.report if latest else None
    running = "running" if latest else None
    current, turn, retained = onboarding.current, onboarding.turn, onboarding.retained
    return {
        **{name: getattr(onboarding, name) for name in PLAIN},
        "client_admins": list(onboarding.client_admins),
        "status": onboarding.status.value,
        "loss": onboarding.loss.value if onboarding.loss else None,
        "current_step": current.number if current else None,
        "finished_steps": onboarding.finished_steps,
        "turn": turn.value if turn else None,
        "phase_at": phase_began(onboarding),
        "missing_values": len(onboarding.missing),
        "exposed_values": len(onboarding.exposed),
        "verification": report.outcome.value if report else running,
        "checked_at": report.started_at if report else None,
        "open_questions": len(onboarding.open_questions),
        "next_reminder": None,  # to be determined again
        "next_check": None,
        "retention_at": retained.until if retained else None,
    }


def client_key(name: str) -> str:
    """Return a client's name in the form used for comparison and search."""
    return " ".join(name.casefold().split())


def name_patterns(words: str) -> tuple[str, ...]:
    """Return LIKE patterns, escaped by `/`, for client keys that contain `words`.

    The first is strict, the second ignores punctuation: `smith sons inc` is Smith & Sons, Inc.
    """
    strict = re.sub(r"([/%_])", r"/\1", client_key(words))
    loose = "%".join(re.findall(r"[^\W_]+", folded(words)))
    return (f"%{strict}%", f"%{loose}%") if loose else (f"%{strict}%",)


def step_columns(onboarding_id: str, step: StepProgress) -> dict[str, Any]:
    return {
        "onboarding_id": onboarding_id,
        "number": step.number,
        "state": step.state.value,
        "by_user": step.by.user_id if step.by else None,
        "by_team": step.by.team_id if step.by else None,
        "by_role": step.by.role.value if step.by else None,
        "at": step.at,
        "handed_over": step.handed_over,
    }


def verification_columns(run: Verification) -> dict[str, Any]:
    return {
        "requested_by_user": run.requested_by.user_id,
        "requested_by_team": run.requested_by.team_id,
        "requested_by_role": run.requested_by.role.value,
        "requested_at": run.requested_at,
        "attempt": run.attempt,
        "report": run.report.model_dump_json() if run.report else None,
        "due_at": run.due_at,
        "booking": run.booking,
        "booking_sent_at": run.booking_sent_at,
        "recheck": run.recheck,
    }
