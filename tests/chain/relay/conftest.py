"""A world on the module's node, a database, and ways to put operations in and get them done."""

import time
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker, undefer

from chain.contracts import ContractName, encode_call
from chain.relay import ChainTransaction, Operation, OperationStatus, Relay, TransactionStatus, enqueue
from chain.relay.models import UNFINISHED
from chain.rpc import RpcClient, RpcUnavailable
from tests.chain.ledger_world import World
from tests.database import database_url, make

__all__ = ["database_url", "make"]


class Desk:
    """Puts operations into a database and reads what became of them."""

    def __init__(self, world: World, sessions: sessionmaker[Session]) -> None:
        self.world = world
        self.sessions = sessions
        self.before = {name: self.count(name) for name in world.signers}

    def put(self, signer: str, contract: ContractName, function: str, *args: Any, gas_limit: int | None = None) -> str:
        """Enqueues one call in a transaction of its own; returns its id."""
        with self.sessions.begin() as session:
            data = encode_call(contract, function, args)
            to = self.world.to(contract)
            return enqueue(session, kind=function, signer=signer, to=to, data=data, gas_limit=gas_limit).id

    def put_many(self, signer: str, calls: list[bytes], contract: ContractName = "EntityRegistry") -> list[str]:
        """Enqueues many calls in one transaction."""
        with self.sessions.begin() as session:
            to = self.world.to(contract)
            return [enqueue(session, kind="call", signer=signer, to=to, data=data).id for data in calls]

    def registrations(self, names: list[str]) -> list[bytes]:
        """Calls that register one organisation each."""
        return [
            encode_call("EntityRegistry", "register", [[self.world.registration(f"{self.world.label}/{name}")]])
            for name in names
        ]

    def relay(self, rpc: RpcClient | None = None, **options: Any) -> Relay:
        """A relay on this database, whose keys go to another as soon as it is silent."""
        options = {"lease_seconds": 0.05, "signers": self.world.signers, **options}
        return Relay(self.sessions, rpc or self.world.rpc, contracts=self.world.contracts, **options)

    def get(self, operation_id: str) -> Operation:
        with self.sessions() as session:
            return session.scalars(select(Operation).where(Operation.id == operation_id)).one()

    def unfinished(self) -> list[Operation]:
        with self.sessions() as session:
            return list(session.scalars(select(Operation).where(Operation.status.in_(UNFINISHED))))

    def finish(self, relay: Relay, seconds: float = 120) -> None:
        """Steps until everything ended."""
        deadline = time.monotonic() + seconds
        while left := self.unfinished():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(left)} operations did not end, the first is {left[0].status}")
            try:
                busy = relay.step()
            except RpcUnavailable:
                busy = False
            if not busy:
                time.sleep(0.01)

    def count(self, name: str) -> int:
        """Transactions of a key on the chain."""
        return int(self.world.rpc.call("eth_getTransactionCount", self.world.signers[name].address, "latest"), 16)

    def carriers(self, name: str) -> dict[int, list[str]]:
        """Operations by mined nonce of a key, in their order."""
        address = bytes.fromhex(self.world.signers[name].address.removeprefix("0x"))
        with self.sessions() as session:
            mined = session.scalars(
                select(ChainTransaction.nonce).where(
                    ChainTransaction.signer == address,
                    ChainTransaction.status.in_((TransactionStatus.MINED, TransactionStatus.FINAL)),
                )
            ).all()
            operations = session.scalars(select(Operation).where(Operation.sender == address).order_by(Operation.place))
            found: dict[int, list[str]] = {nonce: [] for nonce in sorted(mined)}
            assert len(found) == len(mined), "two transactions of one nonce count as mined"
            for operation in operations:
                if operation.nonce in found:
                    found[operation.nonce].append(operation.id)
        return found

    def transactions(self) -> list[ChainTransaction]:
        """All transactions with their bytes, by nonce; replacements after what they replace."""
        query = select(ChainTransaction).options(undefer(ChainTransaction.raw))
        with self.sessions() as session:
            return list(session.scalars(query.order_by(ChainTransaction.nonce, ChainTransaction.id)))

    def assert_once(self, name: str, operation_ids: list[str]) -> None:
        """Each operation succeeded in a transaction of its own, and the key sent nothing else and left no gap."""
        assert {self.get(one).status for one in operation_ids} == {OperationStatus.SUCCEEDED}
        carriers = self.carriers(name)
        assert sorted(carriers.values()) == sorted([one] for one in operation_ids)
        first = self.before[name]
        assert list(carriers) == list(range(first, first + len(operation_ids)))
        assert self.count(name) == first + len(operation_ids)


@pytest.fixture(scope="module")
def world(node_rpc: RpcClient) -> World:
    """The contracts on the module's node."""
    return World.deployed(node_rpc, "relay")


@pytest.fixture
def desk(world: World, make: "sessionmaker[Session]", request: pytest.FixtureRequest) -> Desk:
    """A desk whose organisations are new to the contracts."""
    world.label = request.node.name
    return Desk(world, make)
