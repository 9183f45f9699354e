"""`/healthz` and `/v1/chain`: whether the service runs, and what chain it speaks to. Public."""

from fastapi import APIRouter

from app.indexer.models import IndexState
from app.route import QuerySession, TheGateway
from app.schema import Schema

router = APIRouter(tags=["service"])


class Health(Schema):
    """The service answers, and its database does."""

    status: str


class ChainView(Schema):
    """The deployment, and how far the projections have followed it. All that is needed to verify without us."""

    chain_id: int
    contracts: dict[str, str]
    start_block: int
    indexed_block: int | None
    indexed_block_hash: str | None


@router.get("/healthz")
def health(session: QuerySession) -> Health:
    """200 while the service and its database answer."""
    session.connection()
    return Health(status="ok")


@router.get("/v1/chain")
def chain(session: QuerySession, gateway: TheGateway) -> ChainView:
    """Chain id, contract addresses and indexed block."""
    state = session.get(IndexState, (gateway.contracts.chain_id, gateway.contracts.ledger))
    return ChainView(
        chain_id=gateway.contracts.chain_id,
        contracts={name: address for name, address in gateway.contracts.to_dict().items() if name != "chain_id"},
        start_block=gateway.start_block,
        indexed_block=state.block_number if state else None,
        indexed_block_hash=f"0x{state.block_hash.hex()}" if state else None,
    )
