"""`/v1/deployments` and `/v1/parked-events`: what the indexer follows, and what it could not project."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import select

from app.auth.roles import STAFF
from app.auth.service import demand
from app.deployment import Deployment
from app.indexer.models import IndexState, ParkedEvent
from app.route import QuerySession, Reader
from app.schema import Schema

router = APIRouter(tags=["service"])


class DeploymentView(Schema):
    """A deployment whose events are projected.

    Attributes:
        number: What `?deployment=` takes; 1 is the one that commands go to.
        contracts: Addresses by contract.
        indexed_block: Newest block in the projection; null before the first.
    """

    number: int
    chain_id: int
    contracts: dict[str, Any]
    start_block: int
    indexed_block: int | None


class ParkedView(Schema):
    """A log that could not be projected. It is tried again by every new version of the service."""

    block_number: int
    log_index: int
    tx_hash: str
    address: str
    reason: str


@router.get("/v1/deployments")
def read_deployments(session: QuerySession) -> list[DeploymentView]:
    """The deployment of this service, and older or other ones that it shows."""
    views = []
    for row in session.scalars(select(Deployment).where(Deployment.contracts.is_not(None)).order_by(Deployment.id)):
        contracts = dict(row.contracts or {})
        chain_id = int(str(contracts.pop("chain_id")))
        state = session.get(IndexState, (chain_id, str(contracts["ledger"])))
        views.append(
            DeploymentView(
                number=row.id,
                chain_id=chain_id,
                contracts=contracts,
                start_block=row.start_block or 0,
                indexed_block=state.block_number if state else None,
            )
        )
    return views


@router.get("/v1/parked-events")
def read_parked(
    session: QuerySession, caller: Reader, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> list[ParkedView]:
    """Events that could not be projected, oldest first. For staff."""
    demand(caller, *STAFF)
    return [
        ParkedView(
            block_number=row.block_number,
            log_index=int(row.log["logIndex"], 16),
            tx_hash=f"0x{row.tx_hash.hex()}",
            address=row.log["address"],
            reason=row.reason,
        )
        for row in session.scalars(select(ParkedEvent).order_by(ParkedEvent.id).limit(limit))
    ]
