"""Proof bundles: one file that `suanquan verify` checks without this service."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.errors import ApiError, Conflict, Invalid
from app.evidence import repository
from app.evidence.checking import stored_record
from app.evidence.models import EvidenceRecord
from app.evidence.proofs import Prover, batch_tree, header_of
from app.gateway import EvidenceLog, Gateway
from app.indexer.models import Redemption
from chain.bundle import OUTCOMES, BundleBuildError, Sources, build, further_anchor
from chain.bundle_format import FurtherAnchor
from chain.receipts import ReceiptProofError
from chain.record import FIELD_NAMES
from chain.rpc import RpcError, RpcUnavailable
from chain.state_proofs import StateProofError


def bundle_of(
    session: Session,
    gateway: Gateway,
    row: EvidenceRecord,
    *,
    redemption: Redemption | None = None,
    disclose: Sequence[str] | None = None,
) -> bytes:
    """The bundle of a record, and of its redemption where one is given.

    Args:
        disclose: Names of the record's fields to show; all when None. The others are proved to be there, no more.

    Raises:
        Invalid: There is no such field.
        Conflict: The record is not anchored yet, or the node lacks a block that the bundle needs.
        ApiError: 503 while the node does not answer.
    """
    names = FIELD_NAMES if disclose is None else tuple(disclose)
    unknown = sorted(set(names) - set(FIELD_NAMES))
    if unknown:
        raise Invalid("query/disclose", "known_field", f"a record has no field {', '.join(unknown)}")
    proof = Prover(session, gateway).prove(row)
    if proof is None:
        raise Conflict("not_anchored", "The evidence is not anchored yet; ask again in a few seconds.")
    try:
        return build(
            gateway.rpc,
            gateway.contracts,
            _sources(session, row, redemption),
            trade=proof.trade,
            proof=proof.proof,
            record=stored_record(row.record),
            salt=row.salt,
            disclose=names,
            redemption_id=redemption.id if redemption else None,
            further=[anchor for log in gateway.further_logs if (anchor := _further(session, log, row))],
        )
    except (BundleBuildError, ReceiptProofError, StateProofError) as error:
        raise Conflict("bundle_incomplete", f"The node does not give what the bundle needs: {error}.") from error
    except (RpcError, RpcUnavailable) as error:
        # A refusal too: a block that it knew may be gone in a reorganisation, or it limits how often it is asked.
        raise ApiError(503, "node_unavailable", "The chain's node does not answer; ask again.") from error


def _further(session: Session, log: EvidenceLog, row: EvidenceRecord) -> FurtherAnchor | None:
    """The anchor in a further log; None where it is not there yet, or its node does not say so now."""
    with log.sessions() as store:
        store.connection(execution_options={"readonly": True})
        batch = repository.batch_over(store, row.platform_id, row.sequence)
    if batch is None or log.rpc is None:
        return None
    rows = repository.submissions(session, batch.platform_id, batch.from_sequence, batch.to_sequence)
    path = batch_tree(rows).path(row.sequence - batch.from_sequence)
    try:
        return further_anchor(log.rpc, log.contracts, _hex(batch.tx_hash), batch=header_of(batch), submission_path=path)
    except (BundleBuildError, ReceiptProofError, RpcError, RpcUnavailable):
        return None


def _sources(session: Session, row: EvidenceRecord, redemption: Redemption | None) -> Sources:
    """The transactions of the bundle's events, from the projection."""
    batch = repository.batch_over(session, row.platform_id, row.sequence)
    assert batch is not None  # noqa: S101 - there is a proof
    keys = [_hex(tx_hash) for tx_hash in repository.key_changes(session, row.platform_id)]
    if redemption is None:
        return Sources(append=_hex(batch.tx_hash), evidence_keys=keys)
    outcomes = repository.redemption_events(session, redemption.id, OUTCOMES)
    return Sources(
        append=_hex(batch.tx_hash),
        evidence_keys=keys,
        issued=_hex(repository.issue_of(session, redemption.voucher_id)),
        redeemed=_hex(redemption.tx_hash),
        outcomes=[_hex(tx_hash) for tx_hash in outcomes],
    )


def _hex(value: bytes) -> str:
    return f"0x{value.hex()}"
