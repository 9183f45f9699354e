"""Moves applications from state to state, and writes down who did it, for the history and for those who are told."""

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise

from sqlalchemy.orm import Session

from app.applications import repository
from app.applications.models import Application, ApplicationStep
from app.applications.rollups import count, pass_stage
from app.applications.states import PARTS, Action, State, after
from app.auth.service import Principal
from app.clock import now
from app.events.recorder import record


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something; all empty for the service itself.

    Attributes:
        name: What an API key acts for, or the name or address of the reviewer who signed.
    """

    name: str = ""
    role: str = ""
    key_id: str = ""
    signer: bytes | None = None

    @classmethod
    def of(cls, caller: Principal) -> "Actor":
        """The caller of a request."""
        return cls(caller.subject, caller.role.value, caller.key_id)


def begin(session: Session, application: Application, caller: Principal) -> None:
    """Notes that an application was handed in."""
    _note(session, application, Action.SUBMIT, Actor.of(caller), before=None, note=None)
    count(session, application, None, now())


def move(
    session: Session,
    application: Application,
    action: Action,
    actor: Actor,
    *,
    state: str | None = None,
    stage: int | None = None,
    note: str | None = None,
) -> None:
    """Does something to an application.

    Args:
        state: Its state, where the chain has more to say than the row.
        stage: Stage that it waits in from now on; the same as before by default.
        note: In words, for the history.

    Raises:
        Conflict: The action is not possible now.
    """
    was, before = str(application.state), application.state if state is None else state
    left = application.stage
    application.state = after(before, action).value
    application.updated_at = now()
    if stage is not None:
        application.stage = stage
    if application.state != State.PUBLICITY:
        application.publicity_until = None
    _note(session, application, action, actor, before=before, note=note)
    count(session, application, was, now())
    if was in PARTS and (application.stage != left or application.state not in PARTS):
        _leave(session, application, left)


def _leave(session: Session, application: Application, stage: int) -> None:
    """Counts the time that an application spent in a stage, now that it is through."""
    steps = repository.steps(session, [application.id])[application.id]
    spent: dict[str, int] = defaultdict(int)
    for step, following in reversed(list(pairwise(steps))):
        if step.stage != stage or step.state not in PARTS:
            break
        spent[PARTS[State(step.state)]] += following.at - step.at
    pass_stage(session, application.programme_id, stage, spent, steps[-1].at)


def _note(
    session: Session, application: Application, action: Action, actor: Actor, *, before: str | None, note: str | None
) -> None:
    session.add(
        ApplicationStep(
            application_id=application.id,
            at=now(),
            action=action.value,
            before=before,
            state=str(application.state),
            stage=application.stage,
            actor=actor.name,
            role=actor.role,
            key_id=actor.key_id,
            signer=actor.signer,
            note=note,
        )
    )
    session.flush()
    data = {
        "application_id": application.id,
        "programme_id": application.programme_id,
        "entity_id": f"0x{application.entity_id.hex()}",
        "action": action.value,
        "before": before,
        "state": str(application.state),
        "stage": application.stage,
        "reason_code": application.reason_code,
    }
    record(session, f"application.{application.state}", data, parties=[application.entity_id])
