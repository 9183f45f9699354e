"""`/v1/vouchers`, `/v1/redemptions` and, without a key, `/v1/public/vouchers/{id}`."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response

from app.auth.roles import Role
from app.entities.schemas import Reason
from app.errors import NotFound
from app.evidence.bundles import bundle_of
from app.evidence.repository import evidence_of
from app.evidence.router import Disclose, bundle_response
from app.operations.schemas import Accepted
from app.route import CommandRoute, CommandSession, QuerySession, Reader, TheGateway, only
from app.vouchers import quotes, service
from app.vouchers.answers import accepted
from app.vouchers.schemas import (
    ClaimQuoteRequest,
    ClaimQuoteView,
    PathId,
    PublicVoucher,
    RedemptionPage,
    RedemptionView,
    VoucherDetail,
    VoucherPage,
)

router = APIRouter(prefix="/v1", tags=["vouchers"], route_class=CommandRoute)
queries = APIRouter(prefix="/v1", tags=["vouchers"])

VoucherStatusName = Literal["issued", "partly_redeemed", "fully_redeemed", "frozen", "expired", "cancelled"]
RedemptionStateName = Literal["provisional", "written_off", "rejected"]
Limit = Annotated[int, Query(ge=1, le=200)]
After = Annotated[int, Query(ge=0, lt=2**48)]
ProgrammeFilter = Annotated[int | None, Query(ge=1, le=65535)]


@router.post("/vouchers/{voucher_id}/freeze", status_code=202, dependencies=[Depends(only(Role.REGULATOR))])
def freeze(
    voucher_id: PathId, body: Reason, response: Response, session: CommandSession, gateway: TheGateway
) -> Accepted:
    """Freezes a voucher (冻结): not redeemed, not written off, not expired meanwhile."""
    operation = service.act(session, gateway, voucher_id, function="freeze", signer="regulator", reason=body.reason)
    return accepted(response, operation)


@router.post("/vouchers/{voucher_id}/unfreeze", status_code=202, dependencies=[Depends(only(Role.REGULATOR))])
def unfreeze(voucher_id: PathId, response: Response, session: CommandSession, gateway: TheGateway) -> Accepted:
    """Ends a freeze."""
    return accepted(response, service.act(session, gateway, voucher_id, function="unfreeze", signer="regulator"))


@router.post("/vouchers/{voucher_id}/cancel", status_code=202, dependencies=[Depends(only(Role.OPERATOR))])
def cancel(
    voucher_id: PathId, body: Reason, response: Response, session: CommandSession, gateway: TheGateway
) -> Accepted:
    """Withdraws a voucher (撤销); unused value returns to the budget."""
    operation = service.act(session, gateway, voucher_id, function="cancel", signer="operator", reason=body.reason)
    return accepted(response, operation)


@router.post("/vouchers/{voucher_id}/expire", status_code=202)
def expire(voucher_id: PathId, response: Response, session: CommandSession, gateway: TheGateway) -> Accepted:
    """Returns the unused value of a voucher whose time is over; anyone with a key may ask for it."""
    return accepted(response, service.act(session, gateway, voucher_id, function="expire", signer="relayer"))


@queries.post("/vouchers/{voucher_id}/quotes")
def quote_claim(
    voucher_id: PathId, body: ClaimQuoteRequest, session: QuerySession, gateway: TheGateway, caller: Reader
) -> ClaimQuoteView:
    """What the contract would pay for a claim on this voucher now, asked of the contract itself. Where it would refuse,
    the answer is still 200, with `payable` false and the contract's named error in `refused`."""
    return quotes.quote(session, gateway, caller, voucher_id, body)


@queries.get("/vouchers")
def list_vouchers(
    *,
    session: QuerySession,
    caller: Reader,
    programme_id: ProgrammeFilter = None,
    uscc: Annotated[str | None, Query(max_length=64)] = None,
    state: VoucherStatusName | None = None,
    after: After = 0,
    limit: Limit = 50,
) -> VoucherPage:
    """Vouchers in order of their numbers; an organisation sees its own."""
    return service.page(session, caller, programme_id=programme_id, uscc=uscc, status=state, after=after, limit=limit)


@queries.get("/vouchers/{voucher_id}")
def read_voucher(voucher_id: PathId, session: QuerySession, caller: Reader) -> VoucherDetail:
    """One voucher with its history and transaction hashes."""
    return service.detail(session, caller, voucher_id)


@queries.get("/redemptions")
def list_redemptions(
    *,
    session: QuerySession,
    caller: Reader,
    programme_id: ProgrammeFilter = None,
    voucher_id: Annotated[int | None, Query(gt=0, lt=2**48)] = None,
    uscc: Annotated[str | None, Query(max_length=64)] = None,
    state: RedemptionStateName | None = None,
    after: After = 0,
    limit: Limit = 50,
) -> RedemptionPage:
    """Redemptions in order of their numbers; an organisation sees those in which it has a part."""
    return service.redemption_page(
        session,
        caller,
        programme_id=programme_id,
        voucher_id=voucher_id,
        uscc=uscc,
        state=state,
        after=after,
        limit=limit,
    )


@queries.get("/redemptions/{redemption_id}")
def read_redemption(redemption_id: PathId, session: QuerySession, caller: Reader) -> RedemptionView:
    """One redemption."""
    return service.redemption_views(session, [service.redemption(session, caller, redemption_id)])[0]


@queries.get("/redemptions/{redemption_id}/bundle", response_class=Response)
def read_bundle(
    redemption_id: PathId, session: QuerySession, caller: Reader, gateway: TheGateway, disclose: Disclose = None
) -> Response:
    """The proof bundle of a redemption, byte for byte as `suanquan verify` checks it; `disclose` names the fields of
    the trade's record to show, all of them if left out."""
    redemption = service.redemption(session, caller, redemption_id)
    row = evidence_of(session, redemption)
    if row is None:
        raise NotFound("evidence", f"for redemption {redemption_id}")
    bundle = bundle_of(session, gateway, row, redemption=redemption, disclose=disclose)
    return bundle_response(f"redemption-{redemption_id}", bundle)


@queries.get("/public/vouchers/{voucher_id}")
def read_public_voucher(voucher_id: PathId, session: QuerySession, gateway: TheGateway) -> PublicVoucher:
    """Whether a voucher number is good; no key needed, no party shown."""
    return service.public(session, gateway, voucher_id)
