"""Re-derives all state from chain events alone and compares it with the service's tables, row by row."""

import tempfile
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from app.indexer.digest import projection_digest
from app.indexer.indexer import Indexer
from app.indexer.models import ChainEvent
from app.migrate import upgrade
from chain.contracts import Contracts
from chain.rpc import RpcClient
from chain.sql import open_engine, sessions
from scripts._demo.service import DemoError, Service


def audit(service: Service) -> dict[str, Any]:
    """Builds the projection anew from block zero into an empty database.

    Returns:
        The number of events, and the row digest that both sides have.

    Raises:
        DemoError: The service's rows differ from what the chain says.
    """
    about = service.get("/v1/chain")
    contracts = Contracts.from_dict({"chain_id": about["chain_id"], **about["contracts"]})
    with tempfile.TemporaryDirectory() as folder, RpcClient(service.node_url) as rpc:
        fresh = f"sqlite:///{Path(folder) / 'audit.sqlite'}"
        upgrade(fresh)
        engine = open_engine(fresh)
        indexer = Indexer(sessions(engine), rpc, contracts, about["start_block"])
        while indexer.step():
            pass
        with sessions(engine)() as session:
            rebuilt = projection_digest(session)
            events = session.scalar(select(func.count()).select_from(ChainEvent))
        engine.dispose()
    served = open_engine(f"sqlite:///{service.data_dir / 'gateway.sqlite'}")
    with sessions(served)() as session:
        stored = projection_digest(session)
    served.dispose()
    if rebuilt != stored:
        raise DemoError(f"the service's rows ({stored}) are not what the chain says ({rebuilt})")
    return {"events": events, "row_digest": rebuilt, "equal": True}
