"""A projection made anew from the chain alone, in a database that is gone afterwards."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.orm import Session, sessionmaker

from app.audit.reading import ChainMoved
from app.indexer.indexer import Indexer
from app.indexer.models import IndexState
from app.indexer.projected import OWN, scoped
from app.migrate import upgrade
from chain.contracts import Contracts
from chain.headers import Header
from chain.rpc import RpcClient
from chain.sql import open_engine, sessions


@contextmanager
def clean_projection(
    rpc: RpcClient,
    contracts: Contracts,
    first: int,
    last: Header,
    progress: Callable[[int], None] = lambda block: None,
) -> Iterator[sessionmaker[Session]]:
    """Sessions on what blocks `first` to `last` say, as deployment OWN.

    Args:
        progress: told the block that was projected last.

    Raises:
        ChainMoved: the chain changed meanwhile.
        RpcError, RpcUnavailable, DeepReorganisation: the node is of no use.
    """
    with tempfile.TemporaryDirectory(prefix="suanquan-audit-") as folder:
        url = f"sqlite:///{Path(folder) / 'clean.sqlite'}"
        upgrade(url)
        engine = open_engine(url)
        try:
            make = scoped(sessions(engine), OWN)
            indexer = Indexer(make, rpc, contracts, first, up_to=last.number)
            while indexer.step():
                progress(indexer.block_number)
            with make() as session:
                state = session.get_one(IndexState, (contracts.chain_id, contracts.ledger))
            if (state.block_number, state.block_hash) != (last.number, last.hash):
                raise ChainMoved(f"block {last.number} was reorganised meanwhile; run it again")
            yield make
        finally:
            engine.dispose()
