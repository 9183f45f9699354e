"""What a trade is subsidised with: the rules of redemption as one pure decision.

Written from the domain's rules, not from the contract, which decides alone what is paid. `tests/differential` holds the
two against each other: on the same facts they give the same amount, or the same refusal with the same numbers. Nothing
here reads a chain, a database or a clock; whoever asks brings the facts.

    voucher usable ─► parties may take part, and are unrelated ─► trade in scope ─► in time ─► not paid before
        ─► amount: ⌊basis × rate⌋, cut by what is left of ceiling, voucher, caps and budget

The evidence is not looked at: a quotation comes before it.
"""

from app.programmes.amount import share, tightest
from app.programmes.facts import (
    NO_CONTROLLER,
    Decision,
    Facts,
    Organisation,
    Product,
    Programme,
    Quote,
    Refusal,
    Voucher,
)
from chain.enums import (
    Basis,
    ComputeType,
    EntityRoles,
    Funding,
    Limit,
    ProgrammeStatus,
    Standing,
    TradeAttributes,
    TradeKind,
    VoucherState,
)
from chain.trade import Trade


class _Refused(Exception):
    """Ends the decision from within a check."""

    def __init__(self, error: str, **numbers: object) -> None:
        super().__init__(error)
        self.refusal = Refusal(error, numbers)


def unknown_voucher(number: int) -> Refusal:
    """The refusal where there is no such voucher, so no programme either."""
    return Refusal("VoucherLedger_UnknownVoucher", {"voucherId": number})


def decide(trade: Trade, voucher: Voucher, programme: Programme, facts: Facts, now: int) -> Decision:
    """What a trade would be subsidised with now, or the first reason why not.

    Args:
        trade: as the platform states it.
        voucher: the one to use.
        programme: the voucher's.
        facts: see there.
        now: Unix seconds.
    """
    try:
        _require_usable(voucher, programme, now)
        _require_parties(trade, voucher, programme, facts, now)
        rate_bps = _rate_in_scope(trade, voucher, programme)
        period = _period_in_time(trade, voucher, programme, now)
        _require_unpaid(trade, programme, facts)
        amount_fen, limit = _amount(trade, voucher, programme, facts, rate_bps=rate_bps, period=period)
        return Quote(amount_fen, rate_bps, period, limit)
    except _Refused as refused:
        return refused.refusal


def _require_usable(voucher: Voucher, programme: Programme, now: int) -> None:
    """The programme takes claims, and the voucher is neither frozen nor ended nor over."""
    terms = programme.terms
    if programme.status != ProgrammeStatus.PUBLISHED:
        raise _Refused("VoucherLedger_ProgrammeStatus", programmeId=programme.number, status=programme.status)
    if now > terms.claims_until:
        raise _Refused(
            "VoucherLedger_ClaimsClosed", programmeId=programme.number, claimsUntil=terms.claims_until, nowAt=now
        )
    if voucher.state != VoucherState.LIVE:
        raise _Refused("VoucherLedger_VoucherState", voucherId=voucher.number, state=voucher.state)
    if now > voucher.valid_until:
        raise _Refused(
            "VoucherLedger_ValidityOver", voucherId=voucher.number, validUntil=voucher.valid_until, nowAt=now
        )


def _require_parties(trade: Trade, voucher: Voucher, programme: Programme, facts: Facts, now: int) -> None:
    """Each party is known, free, in its part and of good standing; the holder bought, from somebody unrelated."""
    buyer = _active(trade.buyer, EntityRoles.BUYER, facts, now)
    supplier = _active(trade.supplier, EntityRoles.SUPPLIER, facts, now)
    _active(trade.platform, EntityRoles.PLATFORM, facts, now)
    if trade.buyer != voucher.holder:
        raise _Refused("VoucherLedger_NotHolder", voucherId=voucher.number, holder=voucher.holder, buyer=trade.buyer)
    same_hand = buyer.controller != NO_CONTROLLER and buyer.controller == supplier.controller
    # "A supplier in the programme is not also a claimant" (related-party); and nobody vouches for its own purchase.
    claimant_supplies = programme.terms.suppliers_listed and trade.buyer in programme.suppliers
    if trade.buyer in (trade.supplier, trade.platform) or same_hand or claimant_supplies:
        raise _Refused(
            "VoucherLedger_RelatedParties", buyer=trade.buyer, supplier=trade.supplier, controller=buyer.controller
        )


def _active(party: bytes, role: EntityRoles, facts: Facts, now: int) -> Organisation:
    """An organisation that may take part in a role."""
    organisation = facts.organisations.get(party)
    if organisation is None:
        raise _Refused("EntityRegistry_Unknown", id=party)
    if organisation.frozen:
        raise _Refused("EntityRegistry_Frozen", id=party)
    if role not in organisation.roles:
        raise _Refused("EntityRegistry_RoleMissing", id=party, roles=int(organisation.roles), asked=int(role))
    # What was recorded, good or bad, holds until its date; then it must be checked anew.
    if now > organisation.standing_until:
        raise _Refused("EntityRegistry_StandingLapsed", id=party, until=organisation.standing_until)
    if organisation.standing != Standing.GOOD:
        raise _Refused(
            "EntityRegistry_Excluded", id=party, standing=organisation.standing, until=organisation.standing_until
        )
    return organisation


def _rate_in_scope(trade: Trade, voucher: Voucher, programme: Programme) -> int:
    """Rate of what was bought, if supplier, platform, product, attributes, place and size are all in scope."""
    number, terms = programme.number, programme.terms
    if terms.suppliers_listed and trade.supplier not in programme.suppliers:
        raise _Refused("VoucherLedger_SupplierNotListed", programmeId=number, supplier=trade.supplier)
    if terms.platforms_listed and trade.platform not in programme.platforms:
        raise _Refused("VoucherLedger_PlatformNotListed", programmeId=number, platform=trade.platform)
    carried = TradeAttributes(trade.attributes)
    product = Product(TradeKind(trade.kind), ComputeType(trade.compute_type), TradeAttributes.DOMESTIC_CHIP in carried)
    rate_bps = programme.tiers[voucher.tier].rates_bps.get(product, 0)
    if rate_bps == 0:
        raise _Refused(
            "VoucherLedger_OutOfScope",
            programmeId=number,
            tier=voucher.tier,
            kind=product.kind,
            computeType=product.compute_type,
        )
    if terms.required_attributes not in carried:
        raise _Refused(
            "VoucherLedger_AttributeMissing", attributes=trade.attributes, required=int(terms.required_attributes)
        )
    if terms.regions and terms.regions.isdisjoint(_places(trade.region)):
        raise _Refused("VoucherLedger_RegionOutOfScope", programmeId=number, region=trade.region)
    if trade.settled_fen < terms.min_trade_fen:
        raise _Refused("VoucherLedger_BelowMinimum", settledFen=trade.settled_fen, minTradeFen=terms.min_trade_fen)
    return rate_bps


def _places(region: int) -> set[int]:
    """A district, its city and its province: 410122, 410100, 410000 (GB/T 2260)."""
    code = f"{region:06d}"
    return {region, int(code[:-2] + "00"), int(code[:-4] + "0000")}


def _period_in_time(trade: Trade, voucher: Voucher, programme: Programme, now: int) -> int:
    """Index of the period in which the claim counts."""
    terms = programme.terms
    earliest = 0 if terms.trade_before_issue else voucher.issued_at
    if not earliest <= trade.traded_at <= now:
        raise _Refused(
            "VoucherLedger_TradeTime",
            voucherId=voucher.number,
            tradedAt=trade.traded_at,
            earliest=earliest,
            latest=now,
        )
    if not terms.contracts_from <= trade.contract_signed_at <= terms.contracts_to:
        raise _Refused(
            "VoucherLedger_ContractDate",
            signedAt=trade.contract_signed_at,
            **{"from": terms.contracts_from, "to": terms.contracts_to},
        )
    for index, period in enumerate(terms.periods):
        if period.starts_at <= trade.traded_at < period.ends_at:
            # Value that was set aside in one period counts there, also if it is used later.
            return index if voucher.period is None else voucher.period
    raise _Refused("VoucherLedger_OutsidePeriods", programmeId=programme.number, tradedAt=trade.traded_at)


def _require_unpaid(trade: Trade, programme: Programme, facts: Facts) -> None:
    """One trade, one subsidy; and no later trade was paid before this one, where order counts."""
    terms = programme.terms
    if facts.settlement_used_by:
        raise _Refused(
            "VoucherLedger_SettlementUsed",
            group=terms.group,
            settlementKey=trade.settlement_key,
            redemptionId=facts.settlement_used_by,
        )
    if terms.one_claim_per_contract and facts.contract_used_by:
        raise _Refused(
            "VoucherLedger_ContractUsed",
            group=terms.group,
            contractKey=trade.contract_key,
            redemptionId=facts.contract_used_by,
        )
    if terms.in_trade_order and trade.traded_at < programme.last_traded_at:
        raise _Refused(
            "VoucherLedger_OutOfOrder",
            programmeId=programme.number,
            tradedAt=trade.traded_at,
            lastTradedAt=programme.last_traded_at,
        )


def _amount(
    trade: Trade, voucher: Voucher, programme: Programme, facts: Facts, *, rate_bps: int, period: int
) -> tuple[int, Limit]:
    """⌊basis × rate⌋, or what the tightest limit leaves of it."""
    terms, tier = programme.terms, programme.tiers[voucher.tier]
    basis_fen = trade.settled_fen if terms.basis == Basis.SETTLED else trade.contract_fen
    room = {
        Limit.NONE: share(basis_fen, rate_bps),
        Limit.SUPPORT_CEILING: share(basis_fen, terms.support_ceiling_bps) - trade.other_support_fen,
        Limit.VOUCHER_FACE: voucher.face_fen - voucher.redeemed_fen,
    }
    if tier.period_cap_fen is not None:
        room[Limit.PERIOD_CAP] = tier.period_cap_fen - facts.used_by_period_fen.get(period, 0)
    if tier.total_cap_fen is not None:
        room[Limit.TOTAL_CAP] = tier.total_cap_fen - facts.used_total_fen
    # A reserved voucher's value is in no budget any more: it was taken out when the voucher was issued.
    if terms.funding == Funding.FIRST_COME:
        room[Limit.BUDGET] = programme.budgets[terms.periods[period].budget].available_fen
    amount_fen, limit = tightest(room)
    if amount_fen == 0:
        raise _Refused(
            "VoucherLedger_NothingToPay",
            voucherId=voucher.number,
            limit=limit,
            basisFen=basis_fen,
            rateBps=rate_bps,
        )
    return amount_fen, limit
