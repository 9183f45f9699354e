"""Who may not decide on an application: those who applied or handed documents in, and those who decided before.

A person is known here by the API key, by what the key acts for, and by the address that signs; any of them is enough.
"""

from collections.abc import Collection

from sqlalchemy.orm import Session

from app.applications import repository
from app.applications.models import Application
from app.applications.states import Action
from app.auth.service import Principal
from app.documents.repository import uploaders
from app.entities.repository import by_uscc
from app.errors import ApiError
from app.gateway import Gateway

APPLYING = (Action.SUBMIT, Action.ANSWER, Action.APPEAL, Action.WITHDRAW)
SIGNING = (Action.SIGN, Action.PUBLISH, Action.APPROVE)
DECIDING = (*SIGNING, Action.REJECT, Action.DISMISS, Action.UPHOLD, Action.GRANT, Action.DENY)
AGAINST = (Action.REJECT, Action.UPHOLD)


def caller_names(gateway: Gateway, caller: Principal) -> set[str]:
    """What a caller is known by."""
    names = {caller.key_id, caller.subject} - {""}
    key = gateway.signers.get(caller.subject)
    return names if key is None else names | {key.address.lower()}


def signer_names(gateway: Gateway, address: bytes) -> set[str]:
    """What whoever signs with an address is known by."""
    shown = f"0x{address.hex()}"
    return {shown, *(name for name, key in gateway.signers.items() if key.address.lower() == shown)}


def demand_no_applicant(session: Session, application: Application, names: Collection[str]) -> None:
    """Refuses those who applied, answered or handed documents in.

    Raises:
        ApiError: 403.
    """
    digests = [bytes.fromhex(document["sha256"]) for document in application.documents]
    applying = repository.actors(session, application.id, APPLYING) | uploaders(session, application.uscc, digests)
    applying |= {application.uscc, application.submitted_by}
    organisation = by_uscc(session, application.uscc)
    if organisation is not None:
        applying.add(f"0x{organisation.account.hex()}")
    if applying & set(names):
        raise ApiError(
            403, "own_application", "Who applied or handed documents in does not decide on the application (four eyes)."
        )


def demand_not_decided(
    session: Session, application: Application, names: Collection[str], actions: Collection[Action]
) -> None:
    """Refuses those who took one of the actions on the application before.

    Raises:
        ApiError: 403.
    """
    if repository.actors(session, application.id, actions) & set(names):
        raise ApiError(
            403, "decided_before", "You decided on this application before; this is for somebody else (four eyes)."
        )
