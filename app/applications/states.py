"""The life of an application: its states, what can be done in each, and what comes of it. There is no other way.

submitted ─► under_review ─► approved ─► issued | refused      (the last two are the chain's to say)
              │    ▲  │  └─► publicity (公示) ─► under_review (next stage) | approved | rejected
              ▼    │  └────► rejected ─► appealed ─► under_review | rejected
          clarification
Before the decision, and while an appeal is open, the applicant can withdraw.
"""

from collections.abc import Mapping
from enum import StrEnum

from app.errors import Conflict


class State(StrEnum):
    """What an application is."""

    SUBMITTED = "submitted"
    UNDER_REVIEW = "under_review"
    CLARIFICATION = "clarification"
    PUBLICITY = "publicity"
    APPROVED = "approved"
    REJECTED = "rejected"
    APPEALED = "appealed"
    WITHDRAWN = "withdrawn"
    ISSUED = "issued"
    REFUSED = "refused"


class Action(StrEnum):
    """What is done to an application."""

    SUBMIT = "submit"
    SIGN = "sign"
    ASK = "ask"
    ANSWER = "answer"
    PUBLISH = "publish"
    OBJECT = "object"
    DISMISS = "dismiss"
    UPHOLD = "uphold"
    CONTINUE = "continue"
    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    APPEAL = "appeal"
    GRANT = "grant"
    DENY = "deny"
    ISSUE = "issue"
    REOPEN = "reopen"


TRANSITIONS: Mapping[tuple[State, Action], State] = {
    (State.SUBMITTED, Action.SIGN): State.UNDER_REVIEW,
    (State.SUBMITTED, Action.ASK): State.CLARIFICATION,
    (State.SUBMITTED, Action.PUBLISH): State.PUBLICITY,
    (State.SUBMITTED, Action.APPROVE): State.APPROVED,
    (State.SUBMITTED, Action.REJECT): State.REJECTED,
    (State.SUBMITTED, Action.WITHDRAW): State.WITHDRAWN,
    (State.UNDER_REVIEW, Action.SIGN): State.UNDER_REVIEW,
    (State.UNDER_REVIEW, Action.ASK): State.CLARIFICATION,
    (State.UNDER_REVIEW, Action.PUBLISH): State.PUBLICITY,
    (State.UNDER_REVIEW, Action.APPROVE): State.APPROVED,
    (State.UNDER_REVIEW, Action.REJECT): State.REJECTED,
    (State.UNDER_REVIEW, Action.WITHDRAW): State.WITHDRAWN,
    (State.CLARIFICATION, Action.ANSWER): State.UNDER_REVIEW,
    (State.CLARIFICATION, Action.REJECT): State.REJECTED,
    (State.CLARIFICATION, Action.WITHDRAW): State.WITHDRAWN,
    (State.PUBLICITY, Action.OBJECT): State.PUBLICITY,
    (State.PUBLICITY, Action.DISMISS): State.PUBLICITY,
    (State.PUBLICITY, Action.UPHOLD): State.REJECTED,
    (State.PUBLICITY, Action.CONTINUE): State.UNDER_REVIEW,
    (State.PUBLICITY, Action.APPROVE): State.APPROVED,
    (State.PUBLICITY, Action.WITHDRAW): State.WITHDRAWN,
    (State.REJECTED, Action.APPEAL): State.APPEALED,
    (State.APPEALED, Action.GRANT): State.UNDER_REVIEW,
    (State.APPEALED, Action.DENY): State.REJECTED,
    (State.APPEALED, Action.WITHDRAW): State.WITHDRAWN,
    (State.REFUSED, Action.ISSUE): State.APPROVED,
    (State.REFUSED, Action.REOPEN): State.UNDER_REVIEW,
}
"""State and action to the state after it."""
REVIEW = (State.SUBMITTED, State.UNDER_REVIEW)
"""States in which reviewers are asked to decide."""
IN_STAGE = (*REVIEW, State.CLARIFICATION)
"""States in which a stage is waited for."""
PARTS = {
    State.SUBMITTED: "review",
    State.UNDER_REVIEW: "review",
    State.CLARIFICATION: "clarification",
    State.PUBLICITY: "publicity",
}
"""What the time in a state counts as; in other states no stage is waited for."""
UNDECIDED = (*IN_STAGE, State.PUBLICITY, State.APPEALED)
"""States in which an application still rests on its documents."""


def after(state: str, action: Action) -> State:
    """The state that an action leads to.

    Raises:
        Conflict: The action is not possible in this state.
    """
    found = TRANSITIONS.get((State(state), action))
    if found is None:
        possible = [str(one) for at, one in TRANSITIONS if at == state]
        raise Conflict(
            "application_state",
            f"The application is {state}; it cannot {action} now. Possible: {', '.join(possible) or 'nothing more'}.",
            state=str(state),
            possible=possible,
        )
    return found
