"""Proof bundles: one file that `suanquan verify` checks without this service."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.errors import ApiError, Conflict, Invalid
from app.evidence import repository
from app.evidence.checking import stored_record
from app.evidence.models import EvidenceRecord
from app.evidence.proofs import Prover
from app.gateway import Gateway
from app.indexer.models import Redemption
from chain.bundle import OUTCOMES, BundleBuildError, Sources, build
from chain.receipts import ReceiptProofError
from chain.record import FIELD_NAMES
from chain.rpc import RpcUnavailable


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
        )
    except (BundleBuildError, ReceiptProofError) as error:
        raise Conflict("bundle_incomplete", f"The node does not give what the bundle needs: {error}.") from error
    except RpcUnavailable as error:
        raise ApiError(503, "node_unavailable", "The chain's node does not answer; ask again.") from error


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
