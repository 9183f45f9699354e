"""Holds a service's tables against what the chain says, row by row."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from sqlalchemy.orm import Session, sessionmaker

from app.audit.clean import clean_projection
from app.audit.reading import header_at
from app.indexer.digest import rows_in_order
from app.indexer.models import PROJECTION, IndexState
from app.indexer.projected import OWN
from app.indexer.tables import Model, table_info
from chain.contracts import Contracts
from chain.rpc import RpcClient

_Row: TypeAlias = dict[str, Any]
Progress: TypeAlias = Callable[[int, int], None]
"""Told the block that was projected last, and the one to reach."""


class NothingIndexed(Exception):
    """The service has projected no block of this deployment yet."""


@dataclass(frozen=True, slots=True)
class WrongRow:
    """A row, or a column of it, that is not what the chain says.

    Attributes:
        key: its key's columns, in JSON's types.
        column: which differs; None where the row is missing or there is one too many.
        expected: from the chain; None where there should be no row.
        found: in the service's database; None where the row is missing.
    """

    table: str
    key: dict[str, Any]
    column: str | None
    expected: Any
    found: Any

    def told(self) -> str:
        """In one line."""
        key = ", ".join(f"{name} {value}" for name, value in self.key.items())
        if self.column is not None:
            return f"{self.table} ({key}) {self.column}: expected {self.expected}, found {self.found}"
        return f"{self.table} ({key}): {'missing' if self.found is None else 'no such row on chain'}"

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What was compared, up to which block."""

    block_number: int
    rows: int
    wrong: list[WrongRow]


def reconcile(
    make: sessionmaker[Session],
    rpc: RpcClient,
    contracts: Contracts,
    start_block: int,
    deployment_id: int = OWN,
    *,
    progress: Progress = lambda block, last: None,
) -> Reconciled:
    """Compare every table of the projection, as it stands at one moment, with one made anew up to the same block.

    The service may go on meanwhile: the tables are read in one snapshot.

    Raises:
        NothingIndexed: there is nothing to compare.
        ChainMoved: the chain changed meanwhile.
        RpcError, RpcUnavailable, DeepReorganisation: the node is of no use.
    """
    with _snapshot(make) as served:
        state = served.get(IndexState, (contracts.chain_id, contracts.ledger))
        if state is None:
            raise NothingIndexed("the service has read no block of this deployment yet")
        last = header_at(rpc, state.block_number)
        wrong = []
        if last.hash != state.block_hash:
            key = {"chain_id": contracts.chain_id, "deployment": contracts.ledger}
            wrong.append(WrongRow("index_state", key, "block_hash", last.hash.hex(), state.block_hash.hex()))
        count = 0
        clean = clean_projection(rpc, contracts, start_block, last, lambda block: progress(block, state.block_number))
        with clean as fresh, fresh() as derived:
            for model in PROJECTION:
                expected = rows_in_order(derived, model, OWN)
                for one, other in _side_by_side(model, expected, rows_in_order(served, model, deployment_id)):
                    count += 1
                    wrong += _wrong(model, one, other)
    return Reconciled(state.block_number, count, wrong)


@contextmanager
def _snapshot(make: sessionmaker[Session]) -> Iterator[Session]:
    """A session that sees one moment. On SQLite that is what a transaction sees, from its first query on."""
    with make() as session:
        level = {"isolation_level": "REPEATABLE READ"} if session.get_bind().dialect.name == "postgresql" else {}
        session.connection(execution_options={"readonly": True, **level})
        yield session


def _side_by_side(
    model: Model, expected: Iterator[_Row], found: Iterator[_Row]
) -> Iterator[tuple[_Row | None, _Row | None]]:
    """Rows of the same key together; both come in order of their keys."""
    key_of = table_info(model).key_of
    one, other = next(expected, None), next(found, None)
    while one is not None or other is not None:
        if other is None or (one is not None and key_of(one) < key_of(other)):
            yield one, None
            one = next(expected, None)
        elif one is None or key_of(other) < key_of(one):
            yield None, other
            other = next(found, None)
        else:
            yield one, other
            one, other = next(expected, None), next(found, None)


def _wrong(model: Model, expected: _Row | None, found: _Row | None) -> list[WrongRow]:
    info, named = table_info(model), expected or found or {}
    key = {name: named[name] for name in info.key_names}
    if expected is None or found is None:
        return [WrongRow(info.name, key, None, expected, found)]
    return [
        WrongRow(info.name, key, name, expected[name], found[name])
        for name in info.names
        if expected[name] != found[name]
    ]
