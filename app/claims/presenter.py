"""Presents claims to the contract, in the order that the programme demands, and notes what came of them.

A claim is marked and its operation is put into the outbox in one SQL transaction, so each is in exactly one operation
whatever dies; the relay merges operations where many wait. The outcome is read from the projection of the transaction.

Each claim goes through the fraud checks in the transaction that would send it; what they hold or refuse is not sent.

A programme that pays in order of trade time has one batch of claims in flight, and of its waiting claims only those are
presented whose round has begun (rounds.py) and that have no earlier one before them whose evidence is not anchored yet,
or that a person must look at: it would come too late behind them. How long they wait for such a one, the policy says.
"""

import logging
from typing import Any

from sqlalchemy.orm import Session

from app.checks.outcome import Answer
from app.checks.passing import overdue, pass_over
from app.checks.repository import blocking, held_from
from app.checks.runner import examine
from app.claims import repository
from app.claims.models import Claim
from app.claims.rounds import due_before, rounds_of
from app.clock import now
from app.evidence.models import EvidenceRecord
from app.evidence.proofs import Proof, Prover
from app.evidence.repository import indexed_block, records_by_id
from app.evidence.trades import EvidenceErased
from app.gateway import Gateway
from app.indexer.models import Programme
from app.operations.service import submit
from app.policies.model import Rounds
from app.working_days import due_at
from chain.relay.models import GONE, OperationStatus
from chain.relay.outbox import get_operation
from chain.sql import reading

log = logging.getLogger(__name__)

AT_ONCE = 200
"""Claims of a programme that are presented at once."""


class ClaimPresenter:
    """The worker; several may share a PostgreSQL, a programme being locked by one at a time."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def step(self) -> bool:
        """Notes outcomes and presents what waits; returns whether anything changed."""
        with reading(self._gateway.sessions) as session:
            reopened = repository.reopened(session)
            decided = repository.decided_operations(session, self._indexed(session))
            waiting = repository.programmes_with(session, repository.WAITING)
            passing = [number for number in waiting if self._overdue(session, number)]
            programmes = [number for number in waiting if number in passing or self._next(session, number)]
        if reopened:
            self._reopen(reopened)
        settled = bool(decided) and self._settle(decided)
        for number in passing:
            self._pass_over(number)
        # An outcome may let the next claims of its programme go.
        presented = [self._present(number) for number in programmes]
        return settled or any(presented)

    # OUTCOMES

    def _indexed(self, session: Session) -> int:
        return indexed_block(session, self._gateway.contracts)

    def _reopen(self, claims: list[str]) -> None:
        """Waits anew for the outcome of claims whose operation goes on after all: put back by a person, or because a
        reorganisation took its refusal back. (What it takes back of redemptions, the indexer mends.)"""
        with self._gateway.sessions.begin() as session:
            for claim in repository.lock(session, claims):
                _decide(claim, repository.PRESENTED)

    def _settle(self, operations: list[str]) -> bool:
        with self._gateway.sessions.begin() as session:
            # So that no reorganisation takes back what is read here before it is noted.
            repository.hold_projection(session, self._gateway.contracts)
            claims = repository.of_operations(session, operations)
            records = records_by_id(session, [claim.evidence_id for claim in claims])
            noted = [self._note(session, claim, records[claim.evidence_id]) for claim in claims]
            return any(noted)

    def _note(self, session: Session, claim: Claim, record: EvidenceRecord) -> bool:
        """Notes what became of a claim; nothing while the projection does not show it, as after a reorganisation that
        the relay is mending."""
        operation = get_operation(session, claim.operation_id or "")
        if operation is None or operation.status in GONE:
            error = (operation.error if operation else None) or {"code": "OperationLost", "args": {}}
            refused = operation is not None and operation.status == OperationStatus.REFUSED
            # What could not be put to the contract is no verdict on the claim: a person looks at it.
            _decide(claim, repository.REFUSED if refused else repository.HELD, error["code"], error["args"])
            return True
        if operation.status != OperationStatus.SUCCEEDED or operation.result is None:
            return False
        tx_hash = bytes.fromhex(str(operation.result["tx_hash"]).removeprefix("0x"))
        redemption_id = repository.redemption_of(session, claim, record.leaf, tx_hash)
        if redemption_id is None:
            return False
        _decide(claim, repository.REDEEMED)
        claim.redemption_id = redemption_id
        return True

    # ROUNDS

    def _rounds(self, session: Session, programme_id: int) -> Rounds | None:
        return rounds_of(session, session.get_one(Programme, programme_id))

    def _overdue(self, session: Session, programme_id: int) -> bool:
        """Whether a hold keeps later trades waiting that was not decided in time."""
        holds = blocking(session, programme_id)
        rounds = self._rounds(session, programme_id) if holds else None
        return rounds is not None and any(overdue(hold, rounds) for hold in holds)

    def _pass_over(self, programme_id: int) -> None:
        with self._gateway.sessions.begin() as session:
            rounds = self._rounds(session, programme_id)
            if rounds is not None and pass_over(session, programme_id, rounds):
                log.warning("programme %d: its round goes on without claims that were held too long", programme_id)

    # PRESENTING

    def _present(self, programme_id: int) -> bool:
        with self._gateway.sessions.begin() as session:
            repository.lock_programme(session, programme_id)
            chosen = self._next(session, programme_id)
            if not chosen:
                return False
            prover = Prover(session, self._gateway)
            in_order = repository.pays_in_trade_order(session, programme_id)
            for claim, record in chosen:
                try:
                    proof = prover.prove(record)
                except (ValueError, EvidenceErased) as error:
                    log.exception("claim %s is held", claim.id)
                    _decide(claim, repository.HELD, "evidence_damaged", {"message": str(error)})
                    continue
                if proof is None:
                    break
                answer = examine(session, self._gateway, claim, record, proof.trade)
                if answer is Answer.HOLD and in_order:
                    break
                if answer not in (Answer.HOLD, Answer.REJECT):
                    self._send(session, claim, proof, in_order=in_order)
            return True

    def _next(self, session: Session, programme_id: int) -> list[tuple[Claim, EvidenceRecord]]:
        """The claims of a programme to present now."""
        in_order = repository.pays_in_trade_order(session, programme_id)
        if in_order and repository.in_flight(session, programme_id):
            return []
        held_at = held_from(session, programme_id) if in_order else None
        rounds = self._rounds(session, programme_id) if in_order else None
        due_before_at = due_before(rounds, now()) if rounds else None
        chosen: list[tuple[Claim, EvidenceRecord]] = []
        for claim, record, anchored in repository.waiting(session, programme_id, AT_ONCE, anchored_only=not in_order):
            if due_before_at is not None and claim.traded_at >= due_before_at:
                break
            if held_at is not None and claim.traded_at > held_at:
                break
            if anchored:
                chosen.append((claim, record))
            elif rounds is None or now() <= due_at(claim.created_at, rounds.hold_days, ()):
                break
        return chosen

    def _send(self, session: Session, claim: Claim, proof: Proof, *, in_order: bool) -> None:
        lane = f"programme:{claim.programme_id}" if in_order else f"voucher:{claim.voucher_id}"
        call = {"voucherId": claim.voucher_id, "trade": proof.trade.to_abi(), "proof": proof.proof.to_abi()}
        operation = submit(
            session,
            self._gateway,
            kind="redeem",
            signer="relayer",
            lane=lane,
            contract="VoucherLedger",
            function="redeem",
            args=[call],
            ref=claim.id,
        )
        claim.operation_id = operation.id
        claim.state, claim.updated_at = repository.PRESENTED, now()


def _decide(claim: Claim, state: str, code: str | None = None, detail: dict[str, Any] | None = None) -> None:
    claim.state, claim.code, claim.detail, claim.updated_at = state, code, detail, now()
