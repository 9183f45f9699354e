"""What must hold after every block, summed anew from vouchers and redemptions as they stand.

The book moves budgets and caps as the contract does, event by event. Here the same figures are sums over what each
voucher and redemption is now; only what a block touched is counted again, so a block costs what happened in it.
"""

from collections import defaultdict

from app.audit.book import Account, Book, Redemption
from app.audit.findings import Findings
from app.indexer.projector import programme_of
from app.programmes.facts import Budget
from chain.enums import RedemptionState, VoucherState

_USABLE = (VoucherState.LIVE, VoucherState.FROZEN)


class Invariants:
    """Sums of all that the book holds."""

    def __init__(self, book: Book, findings: Findings) -> None:
        self._book = book
        self._findings = findings
        # Reserved, redeemed, written off, recovered.
        self._budgets: defaultdict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        # Redeemed, written off.
        self._vouchers: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0])
        self._reserved: dict[int, int] = {}
        self._used: defaultdict[tuple[int, bytes, int], int] = defaultdict(int)

    def check(self) -> None:
        """Look at what was touched since the last time."""
        book = self._book
        used: set[tuple[int, bytes, int]] = set()
        for number in book.touched_redemptions:
            self._count(book.redemptions[number], used)
        vouchers = book.touched_vouchers
        for number in vouchers:
            self._reserve(number)
            self._check_voucher(number)
        for programme, index in book.touched_budgets:
            self._check_budget(book.programmes[programme], index)
        for place in used:
            self._check_use(*place)
        if book.unannounced:
            for number in book.unannounced:
                subject = f"voucher {number}"
                self._findings.add("owner-follows-the-registry", subject, expected="Transfer at issue", found="none")
            book.unannounced.clear()
        book.touched_redemptions.clear()
        book.touched_vouchers.clear()
        book.touched_budgets.clear()

    def _count(self, r: Redemption, used: set[tuple[int, bytes, int]]) -> None:
        """Take a redemption out of the sums as it was, and put it in as it is."""
        book = self._book
        one = book.programmes[programme_of(r.number)]
        voucher = book.vouchers[r.voucher]
        budget = self._budgets[one.number, one.budget_of(r.period)]
        of_voucher = self._vouchers[r.voucher]
        place = (one.number, voucher.holder, r.period)
        now = (r.state, r.recovered_fen)
        for sign, counted in ((-1, r.counted), (1, now)):
            if counted is None:
                continue
            state, recovered_fen = counted
            fen = sign * r.amount_fen
            budget[3] += sign * recovered_fen
            if state == RedemptionState.REJECTED:
                continue
            self._used[place] += fen
            of_voucher[0] += fen
            if state == RedemptionState.WRITTEN_OFF:
                budget[2] += fen
                of_voucher[1] += fen
            else:
                budget[1] += fen
        r.counted = now
        used.add(place)
        book.touched_vouchers.add(r.voucher)

    def _reserve(self, number: int) -> None:
        """What the voucher holds of its budget: its face less what is redeemed, while it can be used."""
        voucher = self._book.vouchers[number]
        if voucher.period is None:
            return
        one = self._book.programmes[programme_of(number)]
        held_fen = voucher.face_fen - self._vouchers[number][0] if voucher.state in _USABLE else 0
        self._budgets[one.number, one.budget_of(voucher.period)][0] += held_fen - self._reserved.get(number, 0)
        self._reserved[number] = held_fen

    def _check_voucher(self, number: int) -> None:
        voucher, written_off_fen = self._book.vouchers[number], self._book.written_off_fen.get(number, 0)
        redeemed_fen, paid_fen = self._vouchers[number]
        if voucher.redeemed_fen != redeemed_fen or written_off_fen != paid_fen:
            self._findings.add(
                "voucher-is-the-sum-of-its-redemptions",
                f"voucher {number}, redeemed and written off",
                expected=(redeemed_fen, paid_fen),
                found=(voucher.redeemed_fen, written_off_fen),
            )
        if not 0 <= paid_fen <= redeemed_fen <= voucher.face_fen:
            found = f"written off {paid_fen}, redeemed {redeemed_fen}, face {voucher.face_fen}"
            self._findings.add(
                "voucher-holds", f"voucher {number}", expected="written off ≤ redeemed ≤ face", found=found
            )

    def _check_budget(self, one: Account, index: int) -> None:
        budget = one.budgets[index]
        summed = Budget(budget.amount_fen, *self._budgets[one.number, index])
        subject = f"budget {index} of programme {one.number}"
        if summed != budget:
            self._findings.add("budget-conserves", subject, expected=_told(summed), found=_told(budget))
        figures = (budget.available_fen, budget.reserved_fen, budget.redeemed_fen, budget.written_off_fen)
        if min(figures) < 0 or budget.recovered_fen > budget.written_off_fen:
            expected = "no part below zero, recovered ≤ written off"
            self._findings.add("budget-holds", subject, expected=expected, found=_told(budget))

    def _check_use(self, programme: int, holder: bytes, period: int) -> None:
        fen = self._used[programme, holder, period]
        kept = self._book.used[programme, holder].get(period, 0)
        if fen != kept or fen < 0:
            subject = f"use of programme {programme} by 0x{holder.hex()} in period {period}"
            self._findings.add("use-is-the-sum-of-redemptions", subject, expected=fen, found=kept)


def _told(budget: Budget) -> dict[str, int]:
    return {
        "amount_fen": budget.amount_fen,
        "reserved_fen": budget.reserved_fen,
        "redeemed_fen": budget.redeemed_fen,
        "written_off_fen": budget.written_off_fen,
        "recovered_fen": budget.recovered_fen,
        "available_fen": budget.available_fen,
    }
