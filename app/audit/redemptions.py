"""Redemptions: each decided anew by the rules, by the terms of the policy's text and by the state of that moment."""

from app.audit.book import Redemption
from app.audit.plays import Stage, plays
from app.audit.vouchers import moved
from app.indexer.projector import Occurrence, programme_of
from app.programmes.facts import Facts, Quote, Voucher
from app.programmes.subsidy import decide
from chain.enums import Funding, RedemptionState, VoucherState
from chain.trade import Trade

_USABLE = (VoucherState.LIVE, VoucherState.FROZEN)
# Neither is in the event, and no rule looks at them.
_UNKNOWN = bytes(32)


@plays("Redeemed")
def _redeemed(stage: Stage, e: Occurrence) -> None:
    book, number, told = stage.book, e.args["redemptionId"], e.args["quote"]
    voucher = book.vouchers.get(e.args["voucherId"])
    if voucher is None:
        expected = f"voucher {e.args['voucherId']} to be issued"
        stage.findings.add("known", f"redemption {number}", expected=expected, found="unknown")
        return
    programme = programme_of(voucher.number)
    one = book.programmes[programme]
    one.redemptions += 1
    wanted = (programme << 32) + one.redemptions
    if number != wanted:
        stage.findings.add("numbers-are-counted", f"redemption {number}", expected=wanted, found=number)
        one.redemptions = number & 0xFFFFFFFF
    key, contract_key = e.args["settlementKey"], e.args["trade"]["contractKey"]
    _require_subsidy(stage, e, voucher)

    amount_fen, period = told["amountFen"], told["period"]
    if period >= len(one.terms.periods):
        return
    # One claim in a contract: else the key means nothing, and half a million of them are much.
    kept = contract_key if one.terms.one_claim_per_contract else b""
    book.redemptions[number] = Redemption(number, voucher.number, period, amount_fen, key, kept, e.at)
    book.settlements[one.group, key] = number
    if kept:
        book.contracts[one.group, kept] = number
    if one.terms.in_trade_order:
        one.last_traded_at = e.args["trade"]["tradedAt"]
    book.vouchers[voucher.number] = moved(voucher, redeemed_fen=amount_fen)
    book.use(programme, voucher.holder, period, amount_fen)
    held_fen = amount_fen if one.terms.funding == Funding.RESERVED_AT_ISSUE else 0
    book.move_budget(one, period, reserved=-held_fen, redeemed=amount_fen)
    book.touched_redemptions.add(number)


@plays("WrittenOff")
def _written_off(stage: Stage, e: Occurrence) -> None:
    r = _known(stage, e, RedemptionState.PROVISIONAL)
    if r is None:
        return
    book, one = stage.book, stage.book.programmes[programme_of(r.number)]
    voucher = book.vouchers[r.voucher]
    frozen = voucher.state == VoucherState.FROZEN or book.organisations[voucher.holder].frozen
    if frozen or e.at < r.redeemed_at + one.challenge_seconds or not any(e.args["paymentRef"]):
        expected = f"not frozen, from {r.redeemed_at + one.challenge_seconds} on, with a payment"
        found = f"frozen: {frozen}, at {e.at}, payment 0x{e.args['paymentRef'].hex()}"
        stage.findings.add("settles-when-allowed", f"redemption {r.number}", expected=expected, found=found)
    r.state, r.written_off_at = RedemptionState.WRITTEN_OFF, e.at
    book.written_off_fen[r.voucher] = book.written_off_fen.get(r.voucher, 0) + r.amount_fen
    book.move_budget(one, r.period, redeemed=-r.amount_fen, written_off=r.amount_fen)


@plays("RedemptionRejected")
def _rejected(stage: Stage, e: Occurrence) -> None:
    r = _known(stage, e, RedemptionState.PROVISIONAL)
    if r is None:
        return
    book, one = stage.book, stage.book.programmes[programme_of(r.number)]
    voucher = book.vouchers[r.voucher]
    r.state, r.barred = RedemptionState.REJECTED, e.args["tradeBarred"]
    book.vouchers[r.voucher] = moved(voucher, redeemed_fen=-r.amount_fen)
    book.use(one.number, voucher.holder, r.period, -r.amount_fen)
    # To a voucher that ended, nothing returns: it is available again.
    held_fen = r.amount_fen if voucher.state in _USABLE and one.terms.funding == Funding.RESERVED_AT_ISSUE else 0
    book.move_budget(one, r.period, reserved=held_fen, redeemed=-r.amount_fen)
    if not r.barred:
        book.settlements.pop((one.group, r.settlement_key), None)
        book.contracts.pop((one.group, r.contract_key), None)


@plays("Recovered")
def _recovered(stage: Stage, e: Occurrence) -> None:
    r = _known(stage, e, RedemptionState.WRITTEN_OFF)
    if r is None:
        return
    amount_fen, left_fen = e.args["amountFen"], r.amount_fen - r.recovered_fen
    if not 0 < amount_fen <= left_fen:
        subject = f"recovery of redemption {r.number}"
        stage.findings.add("recovers-what-was-paid", subject, expected=f"1 to {left_fen} fen", found=amount_fen)
    r.recovered_fen += amount_fen
    stage.book.move_budget(stage.book.programmes[programme_of(r.number)], r.period, recovered=amount_fen)


def _require_subsidy(stage: Stage, e: Occurrence, voucher: Voucher) -> None:
    """The amount is what the rules give; whatever the contract should have refused is a finding too."""
    book, told = stage.book, e.args["quote"]
    one = book.programmes[programme_of(voucher.number)]
    key, contract_key = e.args["settlementKey"], e.args["trade"]["contractKey"]
    trade = stage.trades.get(key)
    if trade is None:
        trade = _trade_of(e, voucher)
    elif trade.leaf() != e.args["leaf"]:
        subject = f"trade of redemption {e.args['redemptionId']}"
        stage.findings.add("evidence", subject, expected=trade.leaf(), found=e.args["leaf"])
    used = book.used.get((one.number, voucher.holder), {})
    known = Facts(
        book.organisations,
        used,
        sum(used.values()),
        book.settlements.get((one.group, key), 0),
        book.contracts.get((one.group, contract_key), 0),
    )
    decision = decide(trade, voucher, one.as_facts(), known, e.at)
    subject = f"subsidy of redemption {e.args['redemptionId']}"
    if not isinstance(decision, Quote):
        expected = {"refused": decision.error, **decision.numbers}
        stage.findings.add("subsidy", subject, expected=expected, found=told)
        return
    if decision.amount_fen != told["amountFen"]:
        stage.findings.add("subsidy", subject, expected=decision.amount_fen, found=told["amountFen"])
    wanted = (decision.rate_bps, decision.period, decision.limit)
    found = (told["rateBps"], told["period"], told["limit"])
    if wanted != found:
        stage.findings.add("subsidy", f"rate, period and limit of the {subject}", expected=wanted, found=found)


def _trade_of(e: Occurrence, voucher: Voucher) -> Trade:
    """As far as the event tells it, which is all that rules look at."""
    facts = e.args["trade"]
    return Trade(
        platform=facts["platform"],
        trade_id=_UNKNOWN,
        buyer=voucher.holder,
        supplier=facts["supplier"],
        kind=facts["kind"],
        compute_type=facts["computeType"],
        attributes=facts["attributes"],
        region=facts["region"],
        traded_at=facts["tradedAt"],
        contract_signed_at=facts["contractSignedAt"],
        settled_fen=facts["settledFen"],
        contract_fen=facts["contractFen"],
        other_support_fen=facts["otherSupportFen"],
        settlement_key=e.args["settlementKey"],
        contract_key=facts["contractKey"],
        details=_UNKNOWN,
    )


def _known(stage: Stage, e: Occurrence, state: RedemptionState) -> Redemption | None:
    """The redemption that an event moves; None where there is none."""
    number = e.args["redemptionId"]
    r = stage.book.redemptions.get(number)
    if r is None:
        stage.findings.add("known", f"redemption {number} of {e.name}", expected="redeemed", found="unknown")
        return None
    stage.book.touched_redemptions.add(number)
    if r.state != state:
        found = f"{e.name} while {r.state.name.lower()}"
        stage.findings.add("settles-once", f"redemption {number}", expected=state.name.lower(), found=found)
    if e.name != "Recovered" and e.args["amountFen"] != r.amount_fen:
        subject = f"amount of {e.name} of redemption {number}"
        stage.findings.add("settles-what-was-redeemed", subject, expected=r.amount_fen, found=e.args["amountFen"])
    if e.args.get("voucherId", r.voucher) != r.voucher:
        subject = f"voucher of {e.name} of redemption {number}"
        stage.findings.add("settles-what-was-redeemed", subject, expected=r.voucher, found=e.args["voucherId"])
    return r
