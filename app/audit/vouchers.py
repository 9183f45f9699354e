"""Vouchers: issued to an organisation that may have one, never moved, ended once."""

from app.audit.book import Account
from app.audit.plays import Stage, plays
from app.indexer.projector import Occurrence, programme_of
from app.indexer.values import account
from app.programmes.facts import Voucher
from chain.enums import NO_PERIOD, EntityRoles, Funding, ProgrammeStatus, Standing, VoucherState

_NOBODY = bytes(20)
_BEFORE = {
    "VoucherFrozen": (VoucherState.LIVE, VoucherState.FROZEN),
    "VoucherUnfrozen": (VoucherState.FROZEN, VoucherState.LIVE),
    "VoucherCancelled": (VoucherState.LIVE, VoucherState.CANCELLED),
    "VoucherExpired": (VoucherState.LIVE, VoucherState.EXPIRED),
}


@plays("VoucherIssued")
def _issued(stage: Stage, e: Occurrence) -> None:
    book, number, holder = stage.book, e.args["voucherId"], e.args["entity"]
    face_fen, place = e.args["faceFen"], e.args["period"]
    one = book.programmes.get(e.args["programmeId"])
    subject = f"voucher {number}"
    if one is None or programme_of(number) != one.number or number & 0xFFFFFFFF == 0:
        found = f"programme {e.args['programmeId']}"
        stage.findings.add("known", subject, expected="an id of a programme that was created", found=found)
        return
    if number in book.vouchers:
        stage.findings.add("issued-once", subject, expected="a new id", found="issued before")
    terms: tuple[tuple[str, bool, object, object], ...] = (
        ("issue-while-open", one.status == ProgrammeStatus.PUBLISHED, "published", one.status.name.lower()),
        ("issue-while-open", e.at <= one.terms.claims_until, f"until {one.terms.claims_until}", e.at),
        ("issue-to-the-entitled", _may_hold(stage, holder, e.at), "an active buyer of good standing", holder),
        ("issue-by-the-terms", e.args["tier"] < len(one.tiers), f"one of {len(one.tiers)} tiers", e.args["tier"]),
        ("issue-by-the-terms", _own_tier(one, e.args["tier"], holder), "the holder's own agreement", holder),
        ("issue-by-the-terms", _right_period(one, place), "a period if and only if value is reserved", place),
        ("issue-by-the-terms", face_fen > 0 and e.at <= e.args["validUntil"], "value and time", face_fen),
    )
    for rule, holds, expected, known in terms:
        if not holds:
            stage.findings.add(rule, subject, expected=expected, found=known)
    if not _right_period(one, place) or e.args["tier"] >= len(one.tiers):
        return
    period = None if place == NO_PERIOD else place
    book.vouchers[number] = Voucher(
        number, holder, e.args["tier"], period, VoucherState.LIVE, e.at, e.args["validUntil"], face_fen
    )
    book.unannounced[number] = holder
    book.touched_vouchers.add(number)
    if period is not None:
        book.move_budget(one, period, reserved=face_fen)


@plays("Transfer")
def _announced(stage: Stage, e: Occurrence) -> None:
    """The one Transfer that there may be: from nobody to the holder, with the issue."""
    number, giver, taker = e.args["tokenId"], account(e.args["from"]), account(e.args["to"])
    holder = stage.book.unannounced.pop(number, None)
    found = f"from 0x{giver.hex()} to 0x{taker.hex()}"
    if holder is None or giver != _NOBODY:
        stage.findings.add("holder-never-changes", f"voucher {number}", expected="no transfer", found=found)
        return
    registered = stage.book.registered.get(holder)
    expected = None if registered is None else registered.account
    if taker != expected:
        stage.findings.add("owner-follows-the-registry", f"voucher {number}", expected=expected, found=found)


@plays("Approval", "ApprovalForAll", "Unlocked")
def _never(stage: Stage, e: Occurrence) -> None:
    """What would let a voucher change hands."""
    stage.findings.add("holder-never-changes", "vouchers", expected="no approval and no unlocking", found=e.name)


@plays("VoucherFrozen", "VoucherUnfrozen")
def _frozen(stage: Stage, e: Occurrence) -> None:
    _move(stage, e)


@plays("VoucherCancelled", "VoucherExpired")
def _ended(stage: Stage, e: Occurrence) -> None:
    voucher = _move(stage, e)
    if voucher is None:
        return
    one = stage.book.programmes[programme_of(voucher.number)]
    returned_fen = voucher.face_fen - voucher.redeemed_fen
    if e.args["returnedFen"] != returned_fen:
        subject = f"value that voucher {voucher.number} returned"
        stage.findings.add("unused-value-returns", subject, expected=returned_fen, found=e.args["returnedFen"])
    over = e.at > min(voucher.valid_until, one.terms.claims_until) or one.status == ProgrammeStatus.TERMINATED
    if e.name == "VoucherExpired" and not over:
        expected = f"after {min(voucher.valid_until, one.terms.claims_until)}"
        stage.findings.add("expires-when-over", f"voucher {voucher.number}", expected=expected, found=e.at)
    if voucher.period is not None:
        stage.book.move_budget(one, voucher.period, reserved=-e.args["returnedFen"])


def moved(voucher: Voucher, *, state: VoucherState | None = None, redeemed_fen: int = 0) -> Voucher:
    """The voucher in another state, or with more redeemed; `replace` takes three times as long."""
    return Voucher(
        voucher.number,
        voucher.holder,
        voucher.tier,
        voucher.period,
        voucher.state if state is None else state,
        voucher.issued_at,
        voucher.valid_until,
        voucher.face_fen,
        voucher.redeemed_fen + redeemed_fen,
    )


def _move(stage: Stage, e: Occurrence) -> Voucher | None:
    """From one state to the next; None where there is no such voucher."""
    number = e.args["voucherId"]
    voucher = stage.book.vouchers.get(number)
    if voucher is None:
        stage.findings.add("known", f"voucher {number} of {e.name}", expected="issued", found="unknown")
        return None
    before, after = _BEFORE[e.name]
    if voucher.state != before:
        found = f"{e.name} while {voucher.state.name.lower()}"
        stage.findings.add("state-by-own-operations", f"voucher {number}", expected=before.name.lower(), found=found)
    stage.book.vouchers[number] = moved(voucher, state=after)
    stage.book.touched_vouchers.add(number)
    return voucher


def _may_hold(stage: Stage, holder: bytes, at: int) -> bool:
    one = stage.book.organisations.get(holder)
    return (
        one is not None
        and not one.frozen
        and EntityRoles.BUYER in one.roles
        and one.standing == Standing.GOOD
        and at <= one.standing_until
    )


def _own_tier(one: Account, tier: int, holder: bytes) -> bool:
    return one.agreements.get(tier, holder) == holder


def _right_period(one: Account, period: int) -> bool:
    if one.terms.funding == Funding.RESERVED_AT_ISSUE:
        return period < len(one.terms.periods)
    return period == NO_PERIOD
