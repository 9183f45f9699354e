"""The two sides side by side: the same world is built on both, then moved and asked in rounds.

A round moves the world (time, standing, lists, freezes, rejections, new vouchers and programmes), asks about some
trades one by one, and really redeems others in one batch, whose outcomes the reference foretells one after the other.
"""

from collections import Counter
from random import Random
from typing import Any

from app.programmes.subsidy import decide
from chain.claims import batch_args
from chain.contracts import decode_error
from chain.enums import Limit, Role
from chain.evidence import NO_HEAD, BatchHeader, EvidenceProof, SignedSubmission
from chain.merkle import MerkleTree
from chain.trade import Trade
from chain.typed_data import Submission, submission_digest

from .book import Decide
from .chain_side import ChainSide
from .differences import Both, Difference, from_contract, from_reference, outcome, report, smallest
from .programmes import platform_key
from .trades import Case, Trades
from .world import World

QUESTIONS_IN_A_ROUND = 66
CLAIMS_IN_A_ROUND = 9
_COMPARE_EVERY = 10
# Of so many cases the one is asked whose outcome, as the reference foretells it, came about least often so far.
_DRAWS = 5
_PARTIES = ("buyer", "supplier", "platform")
# Each must come about among the questions, or the generator has gone blind.
OUTCOMES = {
    *(f"paid, limit {limit.name}" for limit in Limit),
    *(f"VoucherLedger_NothingToPay {limit.name}" for limit in Limit),
    *(
        f"EntityRegistry_{error} {party}"
        for error in ("Unknown", "Frozen", "RoleMissing", "StandingLapsed", "Excluded")
        for party in _PARTIES
    ),
    *(
        f"VoucherLedger_{error}"
        for error in (
            "UnknownVoucher",
            "ProgrammeStatus",
            "ClaimsClosed",
            "VoucherState",
            "ValidityOver",
            "NotHolder",
            "RelatedParties",
            "SupplierNotListed",
            "PlatformNotListed",
            "OutOfScope",
            "AttributeMissing",
            "RegionOutOfScope",
            "BelowMinimum",
            "TradeTime",
            "ContractDate",
            "OutsidePeriods",
            "SettlementUsed",
            "ContractUsed",
            "OutOfOrder",
        )
    ),
}


class Campaign:
    """One world on both sides."""

    def __init__(self, chain: ChainSide, seed: int) -> None:
        self.seed = seed
        self.questions: Counter[str] = Counter()
        self.claims: Counter[str] = Counter()
        self._chain = chain
        random = Random(seed)
        self.world = World(chain, random)
        self._book = self.world.book
        self._trades = Trades(random, self._book, self.world.cast)
        self._platforms = self.world.cast.platforms
        self._sequences = dict.fromkeys(self._platforms, 0)
        self._heads = dict.fromkeys(self._platforms, NO_HEAD)
        self._rounds = 0

    def run(self, questions: int) -> None:
        """Rounds until so many questions were asked; then the books are compared.

        Raises:
            Difference: the sides disagree.
        """
        while self.questions.total() < questions:
            self._rounds += 1
            self.world.move()
            self.questions += self.ask(min(QUESTIONS_IN_A_ROUND, questions - self.questions.total()))
            self._redeem()
            if self._rounds % _COMPARE_EVERY == 0:
                self.compare_books()
        self.compare_books()

    def ask(self, questions: int, by: Decide = decide) -> Counter[str]:
        """Questions about the world as it stands.

        Args:
            by: the reference; tests put a wrong one here.

        Returns:
            How often each outcome came about.

        Raises:
            Difference: the sides disagree.
        """
        outcomes: Counter[str] = Counter()
        for _ in range(questions):
            drawn = [self._trades.case(self._chain.now, changes=(0.3, 0.5, 0.2), later=True) for _ in range(_DRAWS)]
            case = min(drawn, key=lambda one: (self.questions + outcomes)[self._foretold(one)])
            both = self._both(case, by)
            if both.differ:
                self._explain(case, by)
            outcomes[self._foretold(case)] += 1
        return outcomes

    def compare_books(self) -> None:
        """Hold what both sides keep of budgets, vouchers, use and order against each other.

        Raises:
            Difference: the sides disagree.
        """
        for programme in self._book.programmes.values():
            kept = self._chain.read("programme", programme.number)
            _same(f"last trade of programme {programme.number}", kept["lastTradedAt"], programme.last_traded_at)
            for index, budget in enumerate(programme.budgets):
                _, available = self._chain.read("budget", programme.number, index)
                _same(f"budget {index} of programme {programme.number}", available, budget.available_fen)
        for (number, holder), used in self._book.used.items():
            for period, amount_fen in used.items():
                told = list(self._chain.read("used", number, holder, period))
                _same(f"use of programme {number} by {holder.hex()}", told, [amount_fen, sum(used.values())])
        for voucher in self._book.vouchers.values():
            kept = self._chain.read("voucher", voucher.number)
            _same(
                f"voucher {voucher.number}", (kept["state"], kept["redeemedFen"]), (voucher.state, voucher.redeemed_fen)
            )

    # Asking

    def _foretold(self, case: Case) -> str:
        return outcome(self._book.decide(case.voucher, case.trade, case.now), case.trade)

    def _both(self, case: Case, by: Decide = decide) -> Both:
        return Both(
            from_contract(self._chain.quote(case.voucher, case.trade, case.now)),
            from_reference(self._book.decide(case.voucher, case.trade, case.now, by)),
        )

    def _explain(self, case: Case, by: Decide) -> None:
        voucher = self._book.vouchers.get(case.voucher)
        plain = case.trade if voucher is None else self._trades.plain(voucher, case.now)
        least = smallest(case, plain, lambda one: self._both(one, by))
        raise Difference(
            f"seed {self.seed}, round {self._rounds}\n" + report(least, self._both(least, by), self._book, plain)
        )

    # Redeeming

    def _redeem(self) -> None:
        """Claims of one round: anchored together, presented together, foretold one by one."""
        now = self._chain.now
        cases = [min((self._claim(now) for _ in range(_DRAWS)), key=self._rarity) for _ in range(CLAIMS_IN_A_ROUND)]
        cases.sort(key=lambda case: case.trade.traded_at)  # or first-come programmes would refuse nearly all
        proofs = self._anchor([case.trade for case in cases])
        claims = [
            {"voucherId": case.voucher, "trade": case.trade.to_abi(), "proof": proofs[case.trade.trade_id].to_abi()}
            for case in cases
        ]
        logs = self._chain.send((Role.RELAYER, "VoucherLedger", "redeemMany", batch_args(claims)))[0]
        events = [self._chain.contracts.decode_event(log) for log in logs]
        assert len(events) == len(cases), "each claim says what became of it"
        for case, event in zip(cases, events, strict=True):
            assert event is not None
            facts = f"{self._book.vouchers.get(case.voucher)}\n{case.trade}"
            number, decision = self._book.redeem(case.voucher, case.trade, now)
            if event.name == "Redeemed":
                told: Any = (event.args["redemptionId"], ("Quote", event.args["quote"]))
            else:
                told = (0, from_contract(decode_error(event.args["reason"])))
            foretold = (number, from_reference(decision))
            _same(f"seed {self.seed}, round {self._rounds}, claim\n{facts}\n", told, foretold)
            self.claims[outcome(decision, case.trade)] += 1

    def _claim(self, now: int) -> Case:
        return self._trades.case(now, changes=(0.7, 0.25, 0.05), later=False)

    def _rarity(self, case: Case) -> int:
        """Refused claims count as one outcome: what moves the world is those that are paid."""
        name = self._foretold(case)
        paid = {one: count for one, count in self.claims.items() if one.startswith("paid")}
        return paid.get(name, 0) if name.startswith("paid") else self.claims.total() - sum(paid.values())

    def _anchor(self, trades: list[Trade]) -> dict[bytes, EvidenceProof]:
        """One submission in one batch for each platform; trades of none get a proof that nobody looks at."""
        by_platform: dict[bytes, list[Trade]] = {one: [] for one in self._platforms}
        for trade in trades:
            by_platform.get(trade.platform, by_platform[self._platforms[0]]).append(trade)
        proofs: dict[bytes, EvidenceProof] = {}
        for platform, own in by_platform.items():
            if own:
                proofs |= self._anchor_one(platform, own)
        return proofs

    def _anchor_one(self, platform: bytes, trades: list[Trade]) -> dict[bytes, EvidenceProof]:
        leaves = [trade.leaf() for trade in trades]
        sequence = self._sequences[platform] = self._sequences[platform] + 1
        root = MerkleTree(leaves).root
        stated = Submission(platform=platform, sequence=sequence, root=root, count=len(trades))
        signature = platform_key(platform).sign_digest(submission_digest(self._chain.contracts, stated))
        signed = SignedSubmission(sequence=sequence, root=root, count=len(trades), signature=signature)
        now = self._chain.now
        arguments = [platform, sequence, sequence, signed.leaf(platform), len(trades), now, now]
        log = self._chain.send((Role.RELAYER, "EvidenceLog", "append", arguments))[0][0]
        event = self._chain.contracts.decode_event(log)
        assert event is not None
        header = BatchHeader.of_event(event.args, self._heads[platform], now)
        self._heads[platform] = event.args["head"]
        return {
            trade.trade_id: EvidenceProof.assemble(header, [signed], sequence, leaves, place)
            for place, trade in enumerate(trades)
        }


def _same(subject: str, contract: Any, reference: Any) -> None:
    if contract != reference:
        raise Difference(f"{subject}: the contract has {contract}, the reference {reference}")
