"""What the contract would pay for a trade: asked of the contract itself, so it cannot differ."""

from sqlalchemy.orm import Session

from app.auth.roles import Role
from app.auth.service import Principal
from app.clock import now
from app.errors import ApiError, Invalid, NotFound
from app.evidence.trades import find_record, trade_of
from app.gateway import Gateway
from app.indexer.models import Voucher
from app.vouchers import repository, service
from app.vouchers.schemas import ClaimQuoteRequest, ClaimQuoteView, Refusal, TradeSketch
from chain.contract_error import ContractError
from chain.enums import ComputeType, Limit, TradeAttributes, TradeKind
from chain.identifiers import entity_id
from chain.jsonable import jsonable
from chain.rpc import RpcError, RpcUnavailable
from chain.trade import Trade

UNKNOWN = bytes(32)
"""Digest of what a sketch leaves open; no invoice, contract or trade has it."""


def quote(
    session: Session, gateway: Gateway, caller: Principal, voucher_id: int, body: ClaimQuoteRequest
) -> ClaimQuoteView:
    """What the contract would pay now, evidence not looked at.

    Raises:
        NotFound: There is no such voucher or evidence, or it is not the caller's to see.
        Invalid: Neither or both of evidence and trade are given.
    """
    voucher = _voucher(session, caller, voucher_id)
    if (body.evidence_id is None) == (body.trade is None):
        raise Invalid("/trade", "one_of", "give either `evidence_id` or `trade`")
    if body.trade is not None:
        trade = _sketched(gateway, voucher, body.trade)
    else:
        trade = trade_of(session, gateway, find_record(session, caller, str(body.evidence_id)))
    try:
        answer = gateway.contracts.read(gateway.rpc, "VoucherLedger", "quote", [voucher.id, trade.to_abi()])
    except (RpcError, RpcUnavailable) as error:
        # A refusal too: a block that it knew may be gone in a reorganisation, or it limits how often it is asked.
        raise ApiError(503, "node_unavailable", "The chain's node does not answer; ask again.") from error
    except ContractError as error:
        refusal = Refusal(code=error.name, args=jsonable(error.arguments), message=error.message)
        return ClaimQuoteView(
            voucher_id=voucher.id,
            payable=False,
            amount_fen=0,
            rate_bps=None,
            period=None,
            limit=None,
            refused=refusal,
        )
    return ClaimQuoteView(
        voucher_id=voucher.id,
        payable=True,
        amount_fen=answer["amountFen"],
        rate_bps=answer["rateBps"],
        period=answer["period"],
        limit=Limit(answer["limit"]).name.lower(),
        refused=None,
    )


def _voucher(session: Session, caller: Principal, voucher_id: int) -> Voucher:
    """A voucher that the caller may ask about: platforms any, since they settle for its holder."""
    if caller.role is not Role.PLATFORM:
        return service.find(session, caller, voucher_id)[0]
    found = repository.find(session, voucher_id, now())
    if found is None:
        raise NotFound("voucher", voucher_id)
    return found[0]


def _sketched(gateway: Gateway, voucher: Voucher, sketch: TradeSketch) -> Trade:
    key = gateway.jurisdiction_key
    flags = {
        TradeAttributes.DOMESTIC_CHIP: sketch.domestic_chip,
        TradeAttributes.BUYER_PAID: sketch.buyer_paid,
        TradeAttributes.UNIFIED_DISPATCH: sketch.unified_dispatch,
    }
    return Trade(
        platform=entity_id(key, sketch.platform),
        trade_id=UNKNOWN,
        buyer=entity_id(key, sketch.buyer) if sketch.buyer else voucher.entity_id,
        supplier=entity_id(key, sketch.supplier),
        kind=TradeKind[sketch.kind.upper()],
        compute_type=ComputeType[sketch.compute_type.upper()],
        attributes=sum(int(flag) for flag, given in flags.items() if given),
        region=int(sketch.region),
        traded_at=sketch.traded_at,
        contract_signed_at=sketch.contract_signed_at,
        settled_fen=sketch.settled_fen,
        contract_fen=sketch.contract_fen,
        other_support_fen=sketch.other_support_fen,
        settlement_key=UNKNOWN,
        contract_key=UNKNOWN,
        details=UNKNOWN,
    )
