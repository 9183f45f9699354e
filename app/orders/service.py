"""Takes orders and decides them: by the quotation of the policy, on confirmed facts, in the transaction of the post.

So an order is decided once, whatever dies; what was granted is in the outbox with it. Posted again it is answered as it
stands. Nothing of the trade is known but what was ordered: that it is paid, at a fair price and real is asked when the
voucher is claimed with, as for every claim.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import uuid4

from sqlalchemy.orm import Session

from app.applications.automatic import sign_and_issue, signs_for
from app.applications.models import Application
from app.applications.submission import demand_open, is_open, take
from app.auth.roles import Role
from app.auth.service import Principal
from app.checks.repository import listed
from app.claims.repository import hold_projection
from app.clock import now
from app.cursor import named_by
from app.entities import claimants
from app.entities.models import Organisation
from app.entities.repository import by_uscc
from app.entities.schemas import FactsView
from app.errors import Conflict, Invalid, NotFound
from app.gateway import Gateway
from app.indexer.models import Programme, Tier
from app.orders import repository
from app.orders.models import Order
from app.orders.schemas import NewOrder, OrderPage, OrderView, ReasonView
from app.policies.compiled import CompiledPolicy, compiled
from app.policies.model import ProgrammePart
from app.policies.question import Question, Supplier, Trade, Used
from app.policies.quote import Quotation, quote
from app.policies.terms import CHINA
from app.programmes.repository import policy_file
from app.programmes.repository import programme as find_programme
from app.vouchers.schemas import MAX_AMOUNT_FEN

UNKNOWN = "unknown."


def post(session: Session, gateway: Gateway, caller: Principal, body: NewOrder) -> tuple[int, OrderView]:
    """Takes an order; returns the HTTP status. The same again: the first, as it stands.

    Raises:
        Invalid: Programme, buyer or supplier is unknown, the programme issues nothing by orders, or the platform is
            another's.
        Conflict: The programme is not open, or the number stands for another order.
        ApiError: 503 while the key that signs is not to be had.
    """
    platform = body.platform or caller.subject
    if caller.role is Role.PLATFORM and platform != caller.subject:
        raise Invalid("/platform", "own", "your key may post orders of its own platform only")
    if by_uscc(session, platform) is None:
        raise Invalid("/platform", "registered", f"{platform or 'the platform'} is not registered")
    for name in ("buyer", "supplier"):
        if by_uscc(session, getattr(body, name)) is None:
            raise Invalid(f"/{name}", "registered", f"{getattr(body, name)} is not registered")
    programme = find_programme(session, body.programme_id)
    if programme is None:
        raise Invalid("/programme_id", "known_programme", f"there is no programme {body.programme_id}")
    rules = _rules(session, programme)
    content = body.model_copy(update={"platform": platform}).model_dump()
    values = {
        "id": f"or_{uuid4().hex}",
        **{name: content[name] for name in ("platform", "number", "programme_id", "buyer")},
        "content": content,
        "state": "incomplete",
        "reasons": [],
        "missing": [],
        "posted_by": caller.key_id,
        "created_at": now(),
        "decided_at": now(),
    }
    is_new = repository.put(session, values)
    order = repository.by_number(session, platform, body.number)
    if not is_new:
        if order.content != content:
            raise Conflict(
                "order_number_taken", f"Order {body.number} was posted with other content.", order_id=order.id
            )
        return 200, view_of(session, order)
    demand_open(session, programme)
    _decide(session, gateway, caller, order, rules)
    return 201, view_of(session, order)


def confirm(session: Session, gateway: Gateway, caller: Principal, uscc: str, facts: Mapping[str, Any]) -> FactsView:
    """Keeps what an officer confirmed of an organisation, and decides the orders that waited for it, unless their
    programme is over.

    Raises:
        NotFound: There is no such organisation.
    """
    view = claimants.confirm(session, caller, uscc, facts)
    for order in repository.incomplete(session, uscc):
        programme = session.get_one(Programme, order.programme_id)
        if is_open(session, programme):
            _decide(session, gateway, caller, order, _rules(session, programme))
    return view


class _Rules(NamedTuple):
    """A programme and what its policy file says."""

    programme: Programme
    policy: CompiledPolicy
    part: ProgrammePart


def _rules(session: Session, programme: Programme) -> _Rules:
    stored = policy_file(session, programme.policy_hash)
    policy = None if stored is None else compiled(stored.content)
    part = None if policy is None else policy.policy.programme(programme.policy_uri.partition("#")[2])
    if policy is None or part is None or part.mode != "automatic":
        raise Invalid("/programme_id", "automatic", f"programme {programme.id} issues nothing by orders")
    return _Rules(programme, policy, part)


def _decide(session: Session, gateway: Gateway, caller: Principal, order: Order, rules: _Rules) -> None:
    """Grants an order, refuses it, or notes what must be known first."""
    body, programme = NewOrder.model_validate(order.content), rules.programme
    # Held, so that of two orders of one buyer the second sees what the first was promised.
    buyer = session.get_one(Organisation, order.buyer, with_for_update=True)
    # So that no voucher goes from those on their way to those on chain between the counts of the two.
    hold_projection(session, gateway.contracts)
    answer = _asked(session, rules, buyer, body)
    unknown = [one.code.removeprefix(UNKNOWN) for one in answer.reasons if one.code.startswith(UNKNOWN)]
    order.reasons = [one._asdict() for one in answer.reasons if not one.code.startswith(UNKNOWN)]
    order.missing, order.decided_at = unknown, now()
    if answer.eligible is False or answer.subsidy_fen == 0:
        order.state = "refused"
    elif answer.subsidy_fen is None or answer.tier is None:
        order.state = "incomplete"
    elif not signs_for(session, gateway, programme.id):
        order.state, order.missing = "incomplete", ["approver.automatic"]
    else:
        tier = repository.tier(session, programme.id, answer.tier)
        application = take(
            session,
            caller,
            programme,
            buyer,
            tier,
            face_fen=min(answer.subsidy_fen, MAX_AMOUNT_FEN),
            content=([], {"order": order.number}),
        )
        sign_and_issue(session, gateway, application)
        order.state, order.application_id = "granted", application.id
    session.flush()


def _asked(session: Session, rules: _Rules, buyer: Organisation, body: NewOrder) -> Quotation:
    """The quotation of what was ordered, as if it were settled now."""
    # Looked at when it was posted.
    supplier, platform = (session.get_one(Organisation, one) for one in (body.supplier, body.platform))
    programme_id = rules.programme.id
    supplies, settles = listed(session, programme_id, supplier.entity_id, platform.entity_id)
    names = rules.part.scope.platforms
    at = now()
    period = repository.period_at(session, programme_id, at)
    trade = Trade(
        kind=body.kind,
        compute_type=body.compute_type,
        domestic_chip=body.domestic_chip,
        settled_fen=body.amount_fen,
        contract_fen=body.contract_fen or body.amount_fen,
        contract_signed_on=body.contract_signed_on or datetime.fromtimestamp(at, CHINA).date().isoformat(),
        traded_at=at,
        platform=names[0] if names and settles else None,
        supplier=Supplier(
            uscc=supplier.uscc, region=supplier.region, controller=supplier.controller or None, listed=supplies
        ),
        price_fair=True,
        paid=True,
        other_support_fen=body.other_support_fen,
    )
    used = repository.used(session, programme_id, buyer.entity_id, period) if period else {}
    question = Question(claimant=claimants.claimant_of(session, buyer), trade=trade, used=Used(**used))
    return quote(rules.policy, question, only=rules.part.name)


def find(session: Session, caller: Principal, order_id: str) -> OrderView:
    """An order that the caller may see: as staff, platform or buyer.

    Raises:
        NotFound: There is none, or the caller has no part in it.
    """
    row = repository.find(session, order_id)
    if row is None or not (caller.is_staff or caller.subject in (row.platform, row.buyer)):
        raise NotFound("order", order_id)
    return view_of(session, row)


def page(
    session: Session, caller: Principal, *, programme_id: int | None, state: str | None, after: str | None, limit: int
) -> OrderPage:
    """Orders that the caller may see, oldest first.

    Raises:
        Invalid: The cursor names no order.
    """
    last = named_by(session, after, repository.find)
    party = None if caller.is_staff else caller.subject
    rows = repository.page(session, party=party, programme_id=programme_id, state=state, after=last, limit=limit)
    items = [view_of(session, row) for row in rows]
    return OrderPage(items=items, next=rows[-1].id if len(rows) == limit else None)


def view_of(session: Session, order: Order) -> OrderView:
    """An order as callers see it."""
    application = None if order.application_id is None else session.get_one(Application, order.application_id)
    tier = None if application is None else session.get_one(Tier, (order.programme_id, application.tier))
    return OrderView(
        id=order.id,
        number=order.number,
        platform=order.platform,
        programme_id=order.programme_id,
        buyer=order.buyer,
        state=order.state,
        application_id=order.application_id,
        voucher_id=application.voucher_id if application else None,
        tier=tier.name if tier else None,
        face_fen=application.face_fen if application else None,
        issued=application is not None and repository.is_issued(session, application.voucher_id),
        reasons=[ReasonView(**one) for one in order.reasons],
        missing=order.missing,
        created_at=order.created_at,
        decided_at=order.decided_at,
    )
