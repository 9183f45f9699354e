"""Issue without a reviewer (免申即享, 即领即享), where the policy says so and its rules tell on confirmed facts alone.

The signature that the contract demands is made with the key `automatic`, an approver of the programme like any other:
who publishes such a programme lets the rules of its file decide. What they refuse or cannot tell is left to a person.
"""

from sqlalchemy.orm import Session

from app.applications import approvals, repository
from app.applications.deciding import SPARE_S, send_issue
from app.applications.finding import admission
from app.applications.models import Application, ApplicationApproval
from app.applications.schemas import NewApplication
from app.applications.states import Action
from app.applications.steps import Actor, move
from app.applications.submission import submit_application
from app.auth.service import Principal
from app.clock import now
from app.entities.claimants import claimant_of
from app.entities.repository import by_uscc
from app.gateway import Gateway
from app.indexer.models import Programme
from app.keyring import AUTOMATIC
from app.programmes.service import programme_part
from chain.relay.models import Operation


def signs_for(session: Session, gateway: Gateway, programme_id: int) -> bool:
    """Whether the key `automatic` is an approver of the programme's one stage."""
    address = bytes.fromhex(gateway.signers[AUTOMATIC].address[2:])
    return repository.is_approver(session, programme_id, 0, address)


def apply(session: Session, gateway: Gateway, caller: Principal, body: NewApplication) -> Application:
    """Takes an application; in a programme of mode instant it is issued with it, if the rules give it.

    Raises:
        Invalid: As `submit_application`.
        Conflict: The programme takes no applications now.
        ApiError: 503 while the key cannot sign.
    """
    application = submit_application(session, caller, body)
    _decide_instant(session, gateway, application)
    return application


def _decide_instant(session: Session, gateway: Gateway, application: Application) -> None:
    programme = session.get_one(Programme, application.programme_id)
    part = programme_part(session, programme)
    organisation = by_uscc(session, application.uscc)
    if part is None or part.mode != "instant" or organisation is None:
        return
    found = admission(session, programme, claimant_of(session, organisation))
    tier = next(one for one in repository.tiers(session, programme.id) if one.index == application.tier)
    agreed = tier.entity_id is not None
    if found is not None and found.admits(tier.name) and not agreed and signs_for(session, gateway, programme.id):
        sign_and_issue(session, gateway, application)


def sign_and_issue(session: Session, gateway: Gateway, application: Application) -> Operation:
    """Approves with the key `automatic`, and puts the issue into the outbox.

    Raises:
        ApiError: 503 while the key cannot sign.
    """
    key = gateway.signers[AUTOMATIC]
    deadline = now() + approvals.APPROVAL_SECONDS + SPARE_S
    approval = ApplicationApproval(
        application_id=application.id,
        stage=0,
        signer=bytes.fromhex(key.address[2:]),
        deadline=deadline,
        signature=approvals.signed(key, approvals.data(gateway, application, 0, deadline).typed_data),
        custodial=True,
        created_at=now(),
    )
    session.add(approval)
    session.flush()
    actor = Actor(AUTOMATIC, signer=approval.signer)
    move(session, application, Action.APPROVE, actor, stage=1, note="by the rules of the policy")
    return send_issue(session, gateway, application, [approval])
