"""Gathers the inputs of the checks of one claim: typed, complete, and stored with the outcome."""

from datetime import datetime
from decimal import Decimal

import msgspec
from sqlalchemy.orm import Session

from app.checks import repository
from app.checks.circular import Circular, Flow
from app.checks.cross_region import CrossRegion
from app.checks.dates import Dates
from app.checks.gap import Gap
from app.checks.models import ClaimedTrade
from app.checks.once import SameTrade, Stacking
from app.checks.paid import Paid
from app.checks.parties import Party, RelatedParty, Standing
from app.checks.plausible import Capacity, Plausible, Usage
from app.checks.price_fair import PriceFair
from app.checks.scope_match import ScopeMatch
from app.checks.splitting import Agreement, Splitting
from app.checks.trade_real import TradeReal
from app.claims.models import Claim
from app.evidence.checking import stored_record
from app.evidence.models import EvidenceRecord
from app.indexer.models import Entity, Programme, Voucher
from app.policies.model import ProgrammePart
from app.policies.terms import CHINA, day_end, day_start
from chain.identifiers import contract_key
from chain.record import Record, unix_seconds
from chain.trade import Trade

DAY_S = 86_400
HALF_HOUR_S = 1_800
BPS = 10_000
EMPTY = bytes(32)


class Gatherer:
    """The facts around one claim.

    Args:
        key: Jurisdiction key.
        looked_at: Unix seconds.
    """

    def __init__(
        self,
        session: Session,
        key: bytes,
        *,
        claim: Claim,
        row: EvidenceRecord,
        trade: Trade,
        programme: Programme,
        part: ProgrammePart,
        looked_at: int,
    ) -> None:
        self._session, self._key = session, key
        self._claim, self._row, self._trade = claim, row, trade
        self._programme, self._part, self._at = programme, part, looked_at
        self._record: Record = stored_record(row.record)
        self._voucher = session.get_one(Voucher, claim.voucher_id)
        self._entities = repository.entities(session, [trade.buyer, trade.supplier, trade.platform])
        tier = repository.tier(session, claim.programme_id, self._voucher.tier)
        place = trade.kind * 8 + trade.compute_type * 2 + self._record.domestic_chip
        self._rate_bps = int(tier.rate_bps[place]) if tier else 0
        self.claimed = self._claimed()

    def inputs(self) -> dict[str, msgspec.Struct]:
        """By code of the check."""
        return {
            "standing": self._standing(),
            "related-party": self._related_party(),
            "scope-match": self._scope_match(),
            "dates": self._dates(),
            "same-trade": self._same_trade(),
            "trade-real": self._trade_real(),
            "cross-region": self._cross_region(),
            "price-fair": self._price_fair(),
            "splitting": self._splitting(),
            "paid": self.paid(),
            "plausible": self._plausible(),
            "gap": self._gap(),
            "circular": self._circular(),
            "stacking": self._stacking(),
        }

    def _claimed(self) -> ClaimedTrade:
        """What later claims are compared with."""
        record = self._record
        in_cards = record.consumed_unit == "card_hour" and record.charge_period_start and record.consumed_quantity
        quantity = int(Decimal(record.consumed_quantity or 0) * 1000) if in_cards else None
        name = record.chip_model or record.sku_id or record.compute_type
        return ClaimedTrade(
            claim_id=self._claim.id,
            supplier_id=self._row.supplier_id,
            resource=f"{name}/{record.consumed_unit or 'trade'}",
            signed_at=self._trade.contract_signed_at,
            unit_price_fen=record.contracted_unit_price_fen,
            starts_at=_moment(record.charge_period_start) if in_cards else None,
            ends_at=_moment(record.charge_period_end) if in_cards else None,
            card_milli_hours=quantity,
        )

    # PARTIES

    def _standing(self) -> Standing:
        year = datetime.fromtimestamp(self._at, CHINA).year
        first, last = (int(datetime(one, 1, 1, tzinfo=CHINA).timestamp()) for one in (year, year + 1))
        ids = {"buyer": self._trade.buyer, "supplier": self._trade.supplier, "platform": self._trade.platform}
        lists = repository.blacklists(self._session, list(ids.values()), first, last)
        return Standing(
            parties=[_party(role, self._entities.get(one), lists.get(one, [])) for role, one in ids.items()],
            looked_at=self._at,
        )

    def _related_party(self) -> RelatedParty:
        terms, trade = self._programme.terms, self._trade
        supplies, _ = repository.listed(self._session, self._programme.id, trade.buyer, EMPTY)
        return RelatedParty(
            buyer=trade.buyer.hex(),
            supplier=trade.supplier.hex(),
            platform=trade.platform.hex(),
            buyer_controller=self._controller(trade.buyer),
            supplier_controller=self._controller(trade.supplier),
            buyer_supplies=bool(terms["suppliersListed"]) and supplies,
        )

    def _controller(self, one: bytes) -> str | None:
        entity = self._entities.get(one)
        return entity.controller.hex() if entity and entity.controller else None

    def _cross_region(self) -> CrossRegion:
        buyer, supplier = (self._entities.get(one) for one in (self._trade.buyer, self._trade.supplier))
        return CrossRegion(
            buyer_registered=buyer.region if buyer else None,
            supplier_registered=supplier.region if supplier else None,
            buyer_stated=_region(self._record.buyer_region_id),
            supplier_stated=_region(self._record.supplier_region_id),
            holder_region=self._voucher.holder_region,
        )

    # THE TRADE

    def _scope_match(self) -> ScopeMatch:
        terms, trade, record = self._programme.terms, self._trade, self._record
        supplier, platform = repository.listed(self._session, self._programme.id, trade.supplier, trade.platform)
        scope = self._part.scope
        return ScopeMatch(
            programme_id=self._programme.id,
            kind=record.kind,
            compute_type=record.compute_type,
            rate_bps=self._rate_bps,
            region=trade.region,
            regions=[int(region) for region in scope.regions],
            item=" ".join(filter(None, (record.task_type, record.sku_id))),
            excluded_items=list(scope.excluded_items),
            dispatch=scope.dispatch,
            dispatched=record.unified_dispatch,
            supplier_listed=supplier if terms["suppliersListed"] else None,
            platform_listed=platform if terms["platformsListed"] else None,
        )

    def _dates(self) -> Dates:
        part, record = self._part, self._record
        return Dates(
            signed_at=self._trade.contract_signed_at,
            traded_at=self._trade.traded_at,
            looked_at=self._at,
            contracts_from_at=day_start(part.window.contracts.first),
            contracts_to_at=day_end(part.window.contracts.last) - 1,
            claims_until_at=day_end(part.window.claims_until) - 1,
            periods=[(day_start(one.first), day_end(one.last)) for one in part.periods],
            term_start_at=_moment(record.contract_term_start),
            term_end_at=_moment(record.contract_term_end),
            used_from_at=_moment(record.charge_period_start),
            used_to_at=_moment(record.charge_period_end),
        )

    def _same_trade(self) -> SameTrade:
        group, trade = self._programme.group_id, self._trade
        once = self._part.one_claim_per_contract
        return SameTrade(
            group=group,
            settlement_used_by=repository.used_by(self._session, group, trade.settlement_key),
            contract_used_by=repository.contract_used_by(self._session, group, trade.buyer, trade.contract_key)
            if once
            else 0,
            one_claim_per_contract=once,
        )

    def _trade_real(self) -> TradeReal:
        record, price = self._record, self._record.contracted_unit_price_fen
        quantity = record.consumed_quantity
        return TradeReal(
            contract_fen=record.contract_fen,
            settled_fen=record.settled_fen,
            signed_at=self._trade.contract_signed_at,
            traded_at=self._trade.traded_at,
            metered=record.kind == "compute",
            priced_fen=None if price is None or quantity is None else round(Decimal(quantity) * price),
            used_from_at=_moment(record.charge_period_start),
            used_to_at=_moment(record.charge_period_end),
            paid_fen=record.paid_fen,
            paid_at=_moment(record.paid_at),
        )

    def _price_fair(self) -> PriceFair:
        one = self.claimed
        return PriceFair(
            resource=one.resource,
            unit_price_fen=one.unit_price_fen,
            fair_fen=repository.fair_price(self._session, one.resource, one.signed_at),
            last_fen=repository.last_price(self._session, one.supplier_id, one.resource, one.signed_at, self._claim.id),
            demanded=self._part.price_fair,
        )

    def _stacking(self) -> Stacking:
        record, part = self._record, self._part
        return Stacking(
            basis_fen=record.contract_fen if part.basis == "contract_value" else record.settled_fen,
            rate_bps=self._rate_bps,
            other_support_fen=record.other_support_fen,
            ceiling_bps=part.support_ceiling_bps,
        )

    def paid(self) -> Paid:
        """What the buyer paid and got back, as far as is known now."""
        record = self._record
        after = repository.corrections(self._session, self._row)
        later = [stored_record(one.record) for one in after if one.record]
        subsidy_fen = record.settled_fen * self._rate_bps // BPS
        return Paid(
            buyer_paid=record.buyer_paid,
            own_share_fen=record.settled_fen - subsidy_fen,
            paid_fen=record.paid_fen,
            refunded_fen=sum(one.refunded_fen or 0 for one in (record, *later)),
            corrections=[one.id for one in after],
        )

    # AROUND IT

    def _splitting(self) -> Splitting:
        buyer = self._entities.get(self._trade.buyer)
        firms = [self._trade.buyer]
        if buyer and buyer.controller:
            firms = repository.firms_of(self._session, buyer.controller)
        # Agreements show when they are settled, which is later than they are signed.
        within = self._part.checks.splitting.within_days * DAY_S
        from_at, to_at = self._trade.contract_signed_at - within, self._row.traded_at + within
        rows = repository.bought(self._session, firms, from_at, to_at, self._row.supplier_id)
        others = {one.key: one for one in (self._agreement(row) for row in rows if row.record)}
        claimed = self._agreement(self._row)
        others.pop(claimed.key, None)
        return Splitting(claimed=claimed, others=sorted(others.values(), key=lambda one: (one.signed_at, one.key)))

    def _agreement(self, row: EvidenceRecord) -> Agreement:
        record = stored_record(row.record)
        number = record.contract_number
        return Agreement(
            key=contract_key(self._key, record.buyer, record.supplier, number).hex(),
            buyer=row.buyer_id.hex(),
            signed_at=unix_seconds(record.contract_signed_at),
            contract_fen=record.contract_fen,
        )

    def _plausible(self) -> Plausible:
        one = self.claimed
        demanded = self._part.scope.suppliers == "listed"
        if one.starts_at is None or one.ends_at is None or one.card_milli_hours is None:
            return Plausible(claimed=None, others=[], registered=[], demanded=demanded)
        span = (one.starts_at, max(one.ends_at, one.starts_at + 1))
        return Plausible(
            claimed=_usage(one),
            others=[_usage(other) for other in repository.usage(self._session, one.supplier_id, *span, self._claim.id)],
            registered=[
                Capacity(from_at=row.from_at, to_at=row.to_at, cards=row.cards)
                for row in repository.capacities(self._session, one.supplier_id, *span)
            ],
            demanded=demanded,
        )

    def _gap(self) -> Gap:
        row = self._row
        due, stored, newest = repository.before(self._session, row.platform_id, row.sequence)
        return Gap(
            sequence=due,
            stored=stored,
            traded_at=row.traded_at,
            newest_before_at=newest,
            contradictions=repository.contradictions(self._session, row),
        )

    def _circular(self) -> Circular:
        """Follows what the supplier bought, and its suppliers, as far as a circle may be long."""
        limits, row = self._part.checks.circular, self._row
        window = limits.within_days * DAY_S
        found: list[tuple[bytes, bytes, int]] = []
        known, reached = {row.supplier_id}, [row.supplier_id]
        for _ in range(limits.max_length - 1):
            room = repository.FLOWS - len(found)
            if not reached or room <= 0:
                break
            step = repository.flows(self._session, reached, row.traded_at - window, row.traded_at + window, room)
            found += step
            reached = sorted({supplier for _, supplier, _ in step} - known - {row.buyer_id})[: repository.LOOK_BACK]
            known.update(reached)
        names = repository.entities(self._session, sorted({one for flow in found for one in flow[:2]}))

        def name(one: bytes) -> str:
            entity = names.get(one) or self._entities.get(one)
            return entity.controller.hex() if entity and entity.controller else one.hex()

        return Circular(
            buyer=name(row.buyer_id),
            supplier=name(row.supplier_id),
            settled_fen=row.settled_fen,
            flows=[Flow(buyer=name(one), supplier=name(other), settled_fen=fen) for one, other, fen in found],
            like_orders=repository.like_orders(self._session, row, HALF_HOUR_S),
        )


def _party(role: str, entity: Entity | None, blacklists: list[str]) -> Party:
    if entity is None:
        return Party(role=role, known=False, blacklists=blacklists)
    return Party(
        role=role,
        known=True,
        standing=entity.standing,
        standing_until_at=entity.standing_until,
        frozen=entity.frozen,
        blacklists=blacklists,
    )


def _usage(one: ClaimedTrade) -> Usage:
    return Usage(starts_at=one.starts_at or 0, ends_at=one.ends_at or 0, card_milli_hours=one.card_milli_hours or 0)


def _moment(text: str | None) -> int | None:
    return None if text is None else unix_seconds(text)


def _region(text: str | None) -> int | None:
    return None if text is None else int(text)
