"""That a voucher of the buyer was redeemed against the trade, and what became of the redemption."""

from typing import Any

from .contracts import Event
from .enums import RedemptionState
from .proven import ProvenBundle
from .report import Checklist, Refused

FULL_BPS = 10_000


def check_redemption(proven: ProvenBundle, checklist: Checklist) -> None:
    """Take the steps that need no node."""
    checklist.take("voucher", lambda: _voucher(proven))
    checklist.take("redemption", lambda: _redemption(proven))
    checklist.take("outcome", lambda: _outcome(proven))


def issued(proven: ProvenBundle) -> dict[str, Any]:
    """Arguments of VoucherIssued."""
    return proven.event(proven.redemption.issued, "VoucherLedger", "VoucherIssued").args


def redeemed(proven: ProvenBundle) -> dict[str, Any]:
    """Arguments of Redeemed."""
    return proven.event(proven.redemption.redeemed, "VoucherLedger", "Redeemed").args


def outcome(proven: ProvenBundle) -> tuple[RedemptionState, int]:
    """State of the redemption as far as the bundle goes, and what was recovered of it, in fen.

    Raises:
        Refused: the events contradict each other.
    """
    amount_fen = redeemed(proven)["quote"]["amountFen"]
    state, recovered_fen = RedemptionState.PROVISIONAL, 0
    previous = proven.place(proven.redemption.redeemed)
    for ref in proven.redemption.outcomes:
        event = proven.event(ref, "VoucherLedger", "WrittenOff", "RedemptionRejected", "Recovered")
        _require_ids(proven, event)
        if proven.place(ref) <= previous:
            raise Refused("the outcomes are not in order")
        previous = proven.place(ref)
        if event.name == "Recovered":
            recovered_fen += event.args["amountFen"]
            if state is not RedemptionState.WRITTEN_OFF or recovered_fen > amount_fen:
                raise Refused("more was recovered than was paid")
        elif state is not RedemptionState.PROVISIONAL or event.args["amountFen"] != amount_fen:
            raise Refused(f"the {event.name} does not fit the redemption")
        else:
            state = RedemptionState.WRITTEN_OFF if event.name == "WrittenOff" else RedemptionState.REJECTED
    return state, recovered_fen


def _voucher(proven: ProvenBundle) -> str:
    redemption, args = proven.redemption, issued(proven)
    if args["voucherId"] != redemption.voucher_id:
        raise Refused("another voucher was issued")
    if args["entity"] != proven.bundle.trade.buyer:
        raise Refused("the voucher's holder is not the trade's buyer")
    if proven.place(redemption.issued) >= proven.place(redemption.redeemed):
        raise Refused("the voucher was not issued before it was redeemed")
    return f"voucher {redemption.voucher_id} over {args['faceFen']} fen was issued to the buyer"


def _redemption(proven: ProvenBundle) -> str:
    redemption, trade = proven.redemption, proven.bundle.trade
    event = proven.event(redemption.redeemed, "VoucherLedger", "Redeemed")
    _require_ids(proven, event)
    if event.args["leaf"] != trade.leaf():
        raise Refused("another trade was redeemed")
    if event.args["settlementKey"] != trade.settlement_key:
        raise Refused("another settlement was redeemed")
    if proven.place(redemption.redeemed) <= proven.place(proven.bundle.append):
        raise Refused("the trade was not anchored before it was redeemed")
    quote = event.args["quote"]
    # Which basis the programme has is asked of the chain; it is one of the two.
    share = max(trade.settled_fen, trade.contract_fen) * quote["rateBps"] // FULL_BPS
    if not 0 < quote["amountFen"] <= min(share, issued(proven)["faceFen"]):
        raise Refused(f"{quote['amountFen']} fen is more than rate and face allow")
    return f"{quote['amountFen']} fen at {quote['rateBps']} basis points"


def _outcome(proven: ProvenBundle) -> str:
    state, recovered_fen = outcome(proven)
    return f"{state.name.lower().replace('_', ' ')}, {recovered_fen} fen recovered"


def _require_ids(proven: ProvenBundle, event: Event) -> None:
    redemption = proven.redemption
    # A WrittenOff names its redemption only.
    voucher_id = event.args.get("voucherId", redemption.voucher_id)
    if (event.args["redemptionId"], voucher_id) != (redemption.redemption_id, redemption.voucher_id):
        raise Refused(f"the {event.name} is that of another redemption")
