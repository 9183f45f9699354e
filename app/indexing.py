"""The indexers of a service: one for its own deployment, and one for each older or other one that it still shows."""

from collections.abc import Mapping

from sqlalchemy import select

from app.claims.mending import mend_claims
from app.deployment import Deployment
from app.gateway import Gateway
from app.indexer.indexer import Indexer
from app.indexer.projected import OWN, scoped
from chain.contracts import Contracts
from chain.rpc import RpcClient


def indexers(gateway: Gateway) -> Mapping[int, Indexer]:
    """By number of the deployment. Those on a chain that no setting names an address for stand still."""
    start = gateway.start_block
    found = {OWN: Indexer(gateway.sessions, gateway.rpc, gateway.contracts, start, after_rollback=[mend_claims])}
    with gateway.sessions() as session:
        other = select(Deployment).where(Deployment.id != OWN, Deployment.contracts.is_not(None))
        for row in session.scalars(other):
            contracts = Contracts.from_dict(row.contracts or {})
            rpc = _rpc(gateway, contracts.chain_id)
            if rpc is not None:
                make = scoped(gateway.sessions, row.id)
                found[row.id] = Indexer(make, rpc, contracts, row.start_block or 0, deployment_id=row.id)
    return found


def _rpc(gateway: Gateway, chain_id: int) -> RpcClient | None:
    if chain_id == gateway.contracts.chain_id:
        return gateway.rpc
    url = gateway.settings.other_chains.get(chain_id)
    return RpcClient(url) if url else None
