"""Presents claims to the contract, in the order that the programme demands, and notes what came of them.

Claims are marked and their transaction is put into the outbox in one SQL transaction, so each is in exactly one
operation whatever dies. The outcome is read from the projection of that transaction.

A programme that pays in order of trade time has one operation in flight, and of its waiting claims only those are
presented that have no earlier one before them whose evidence is not anchored yet: it would come too late behind them.
"""

import logging
from typing import Any

from sqlalchemy.orm import Session

from app.claims import repository
from app.claims.models import Claim
from app.clock import now
from app.evidence.models import EvidenceRecord
from app.evidence.proofs import Proof, Prover
from app.evidence.repository import indexed_block, records_by_id
from app.gateway import Gateway
from app.operations.service import submit
from chain.relay.models import Operation, OperationStatus
from chain.relay.outbox import get_operation

log = logging.getLogger(__name__)

BATCH_GAS = 200_000
"""Gas of a batch itself."""
CLAIM_GAS = 600_000
"""More gas than one claim can use: about three times what one with proofs 20 deep costs."""
GONE = (OperationStatus.REFUSED, OperationStatus.FAILED)


class ClaimPresenter:
    """The worker; several may share a PostgreSQL, a programme being locked by one at a time."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def step(self) -> bool:
        """Notes outcomes and presents what waits; returns whether anything changed."""
        with self._gateway.sessions() as session:
            session.connection(execution_options={"readonly": True})
            decided = [name for name in repository.presented_operations(session) if self._is_decided(session, name)]
            programmes = [
                number
                for number in repository.programmes_with(session, repository.WAITING)
                if self._next(session, number)
            ]
        settled = [self._settle(name) for name in decided]
        # An outcome may let the next claims of its programme go.
        presented = [self._present(number) for number in programmes]
        return any(settled) or any(presented)

    # OUTCOMES

    def _is_decided(self, session: Session, operation_id: str) -> bool:
        operation = get_operation(session, operation_id)
        if operation is None or operation.status in GONE:
            return True
        if operation.status != OperationStatus.SUCCEEDED or operation.result is None:
            return False
        return indexed_block(session, self._gateway.contracts) >= int(operation.result["block_number"])

    def _settle(self, operation_id: str) -> bool:
        with self._gateway.sessions.begin() as session:
            # So that no reorganisation takes back what is read here before it is noted.
            repository.hold_projection(session, self._gateway.contracts)
            operation = get_operation(session, operation_id)
            claims = repository.of_operation(session, operation_id)
            if operation is None or operation.status in GONE:
                self._refused_whole(claims, operation)
                return True
            if operation.status != OperationStatus.SUCCEEDED or operation.result is None:
                return False
            tx_hash = bytes.fromhex(str(operation.result["tx_hash"]).removeprefix("0x"))
            records = records_by_id(session, [claim.evidence_id for claim in claims])
            noted = [self._note(session, claim, records[claim.evidence_id], tx_hash) for claim in claims]
            return any(noted)

    @staticmethod
    def _note(session: Session, claim: Claim, record: EvidenceRecord, tx_hash: bytes) -> bool:
        """Notes what became of a claim in a mined transaction; nothing while the projection does not show it, as
        after a reorganisation that the relay is mending."""
        redemption_id = repository.redemption_of(session, claim, record.leaf, tx_hash)
        if redemption_id is not None:
            _decide(claim, repository.REDEEMED)
            claim.redemption_id = redemption_id
            return True
        refusal = repository.refusal_of(session, claim, record.trade_digest, tx_hash)
        if refusal is not None:
            _decide(claim, repository.REFUSED, refusal.code, refusal.args)
            return True
        return False

    @staticmethod
    def _refused_whole(claims: list[Claim], operation: Operation | None) -> None:
        """One claim alone has its reason; several are presented again one by one, so that each gets its own."""
        error: dict[str, Any] = (operation.error if operation else None) or {"code": "OperationLost", "args": {}}
        if len(claims) > 1:
            for claim in claims:
                claim.single = True
                _decide(claim, repository.WAITING)
            return
        refused = operation is not None and operation.status == OperationStatus.REFUSED
        for claim in claims:
            # What the node could not even try is no verdict on the claim: a person looks at it.
            _decide(claim, repository.REFUSED if refused else repository.HELD, error["code"], error["args"])

    # PRESENTING

    def _present(self, programme_id: int) -> bool:
        with self._gateway.sessions.begin() as session:
            repository.lock_programme(session, programme_id)
            chosen = self._next(session, programme_id)
            if not chosen:
                return False
            prover = Prover(session, self._gateway)
            calls, claims = [], []
            for claim, record in chosen:
                try:
                    proof = prover.prove(record)
                except ValueError as error:
                    log.exception("claim %s is held", claim.id)
                    _decide(claim, repository.HELD, "evidence_damaged", {"message": str(error)})
                    continue
                if proof is None:
                    break
                calls.append(_call(claim, proof))
                claims.append(claim)
            if calls:
                self._send(session, programme_id, claims, calls)
            return True

    def _next(self, session: Session, programme_id: int) -> list[tuple[Claim, EvidenceRecord]]:
        """The claims of a programme to present now."""
        limit = self._gateway.settings.redeem_batch
        in_order = repository.pays_in_trade_order(session, programme_id)
        if in_order and repository.in_flight(session, programme_id):
            return []
        chosen: list[tuple[Claim, EvidenceRecord]] = []
        for claim, record, anchored in repository.waiting(session, programme_id, limit, anchored_only=not in_order):
            if not anchored or (claim.single and chosen):
                break
            chosen.append((claim, record))
            if claim.single:
                break
        return chosen

    def _send(self, session: Session, programme_id: int, claims: list[Claim], calls: list[dict[str, Any]]) -> None:
        alone = len(calls) == 1
        operation = submit(
            session,
            self._gateway,
            kind="redeem" if alone else "redeem_many",
            signer="relayer",
            contract="VoucherLedger",
            function="redeem" if alone else "redeemMany",
            args=[calls[0]] if alone else [calls],
            ref=claims[0].id if alone else f"programme:{programme_id}",
            # An estimate would find the least gas with which the call as a whole succeeds, and it succeeds though its
            # last claims are refused for want of gas.
            gas_limit=None if alone else BATCH_GAS + CLAIM_GAS * len(calls),
        )
        for claim in claims:
            claim.operation_id = operation.id
            claim.state, claim.updated_at = repository.PRESENTED, now()


def _call(claim: Claim, proof: Proof) -> dict[str, Any]:
    """The contract's Claim."""
    return {"voucherId": claim.voucher_id, "trade": proof.trade.to_abi(), "proof": proof.proof.to_abi()}


def _decide(claim: Claim, state: str, code: str | None = None, detail: dict[str, Any] | None = None) -> None:
    claim.state, claim.code, claim.detail, claim.updated_at = state, code, detail, now()
