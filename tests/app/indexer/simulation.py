"""A world that goes on, a chain that bends, a node that lies, a database that errs, a process that dies; and an indexer
whose tables must be those of a clean rebuild.

Everything random comes from the seed; which thread asks first, and anvil's clock, do not.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event, select
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from app.indexer import Indexer
from app.indexer.digest import table_digests
from app.indexer.models import ChainBlock, ParkedEvent, Redemption
from chain.contract_error import ContractError
from chain.enums import Funding, Standing
from chain.logs import DeepReorganisation
from chain.rpc import RpcClient, RpcError, RpcUnavailable
from tests.chain.ledger_world import FOREVER, Reverted, World, digest

from .faulty_transport import FaultyTransport, Killed

FINALITY = 12
_DEEPEST = 6


class Simulation:
    """One deployment that is indexed under fire."""

    def __init__(self, world: World, make: sessionmaker[Session], clean: sessionmaker[Session], seed: int) -> None:
        self.chance = random.Random(seed)
        self.done: Counter[str] = Counter()
        self._world = world
        self._make = make
        self._clean = clean
        self._transport = FaultyTransport(self.chance, self._reorganise)
        self._rpc = RpcClient(world.rpc._url, transport=self._transport)
        world.register(
            world.registration("buyer"),
            world.registration("supplier", roles=2),
            world.registration("platform", roles=4),
        )
        programmes = [world.programme(Funding.RESERVED_AT_ISSUE), world.programme(Funding.FIRST_COME)]
        self._vouchers = [world.issue(programmes[0], serial, "buyer", 1_000_000, period=0) for serial in (1, 2)]
        self._vouchers += [world.issue(programmes[1], serial, "buyer", 1_000_000) for serial in (1, 2)]
        self._serials = iter(range(10, 2**31))
        self._programme = programmes[0]
        # What all else stands on is final.
        world.rpc.call("anvil_mine", hex(FINALITY + 1))
        self._indexer = self._started()

    @property
    def faults(self) -> Counter[str]:
        """How often each fault of the node was met."""
        return self._transport.seen

    def close(self) -> None:
        """Close the connections."""
        self._rpc.close()

    def run(self, rounds: int, *, compare_every: int = 20) -> None:
        """Play until so many rounds have met half as many faults; compare the tables every so often, and at the end."""
        for number in range(1, 10 * rounds + 1):
            with self._transport.paused():
                self._live()
            self._transport.rate = self.chance.choice((0.0, 0.2, 0.5))
            with self._failing_database(self.chance.choice((0.0, 0.0, 0.05))):
                for _ in range(self.chance.randint(1, 4)):
                    self._step()
            self._transport.rate = 0.0
            enough = number >= rounds and self.faults.total() >= rounds // 2
            if number % compare_every == 0 or enough:
                self.compare()
            if enough:
                return
        raise AssertionError(f"too few faults: {self.faults}")

    def compare(self) -> None:
        """The tables are those of a rebuild, and its blocks the node's."""
        self._step_until_quiet()
        clean = Indexer(
            self._clean,
            self._world.rpc,
            self._world.contracts,
            self._world.start_block,
            finality_depth=FINALITY,
            first_range=self.chance.choice((1, 7, 500)),
        )
        clean.rebuild()
        assert clean.catch_up() == self._indexer.block_number
        with self._clean() as session:
            expected = table_digests(session)
        with self._make() as session:
            assert session.scalars(select(ParkedEvent)).all() == []
            found = table_digests(session)
            blocks = session.execute(select(ChainBlock.number, ChainBlock.hash)).all()
        assert found == expected, {name for name in found if found[name] != expected[name]}
        sample = self.chance.sample(blocks, min(20, len(blocks)))
        for number, block_hash in sample:
            block = self._world.rpc.call("eth_getBlockByNumber", hex(number), False)
            assert block["hash"] == "0x" + block_hash.hex()
        self.done["comparisons"] += 1

    # The world

    def _live(self) -> None:
        for _ in range(self.chance.randint(0, 3)):
            action = self.chance.choice(self._actions())
            try:
                action()
                self.done["actions"] += 1
            # What a reorganisation took away makes some of it impossible.
            except (Reverted, ContractError, RpcError) as error:
                self.done[f"refused: {type(error).__name__}"] += 1
        if self.chance.random() < 0.3:
            self._world.rpc.call("anvil_mine", hex(self.chance.randint(1, 5)))
        if self.chance.random() < 0.25:
            self._reorganise()

    def _actions(self) -> list[Callable[[], Any]]:
        world, voucher = self._world, self.chance.choice(self._vouchers)
        return [
            self._redeem,
            self._redeem,
            self._redeem,
            self._settle,
            lambda: world.register(world.registration(f"newcomer {next(world.numbers)}")),
            lambda: world.issue(self._programme, next(self._serials), "buyer", 1_000, period=0),
            lambda: world.act("regulator", "VoucherLedger", "freeze", voucher, digest("reason")),
            lambda: world.act("regulator", "VoucherLedger", "unfreeze", voucher),
            lambda: world.act("operator", "VoucherLedger", "createProgramme", world.terms(Funding.FIRST_COME)),
            lambda: world.act("registrar", "EntityRegistry", "setStanding", digest("supplier"), Standing.GOOD, FOREVER),
        ]

    def _redeem(self) -> None:
        world, platform = self._world, digest("platform")
        world.sequences[platform] = world.read("EvidenceLog", "stream", platform)["nextSequence"] - 1
        voucher = self.chance.choice(self._vouchers)
        claim = world.claim(voucher, world.trade("buyer", self.chance.randint(100, 9_000)))
        # The same twice: the second is refused.
        world.redeem(*[claim] * self.chance.randint(1, 2))

    def _settle(self) -> None:
        with self._make() as session:
            query = select(Redemption.id, Redemption.settlement_key, Redemption.contract_key)
            rows = session.execute(query.where(Redemption.state == "provisional")).all()
        if not rows:
            return
        number, settlement_key, contract_key = self.chance.choice(rows)
        ref = {"redemptionId": number, "settlementKey": settlement_key}
        if self.chance.random() < 0.5:
            self._world.act("finance", "VoucherLedger", "writeOff", [ref], digest("payment"))
        else:
            self._world.act("finance", "VoucherLedger", "reject", ref, contract_key, digest("wrong"), False)

    def _reorganise(self) -> None:
        self._world.rpc.call("anvil_reorg", self.chance.randint(1, _DEEPEST), [])
        self.done["reorganisations"] += 1

    # The indexer

    def _started(self) -> Indexer:
        return Indexer(
            self._make,
            self._rpc,
            self._world.contracts,
            self._world.start_block,
            finality_depth=FINALITY,
            first_range=self.chance.choice((1, 3, 500)),
        )

    def _step(self) -> None:
        try:
            if self.chance.random() < 0.02:
                self._indexer.rebuild()
            self._indexer.step()
            self.done["steps"] += 1
        except (RpcError, RpcUnavailable, DBAPIError, DeepReorganisation) as error:
            # As `Indexer.run` does: the next step tries again.
            self.done[type(error).__name__] += 1
        except Killed:
            self.done["deaths"] += 1
            self._indexer = self._started()

    def _step_until_quiet(self) -> None:
        steps: Counter[str] = Counter()
        for _ in range(200):
            try:
                if not self._indexer.step():
                    return
                steps[f"at {self._indexer.block_number}"] += 1
            # What was fetched ahead while the node still failed.
            except (RpcError, RpcUnavailable, Killed) as error:
                self.done["late failures"] += 1
                steps[str(error)] += 1
        raise AssertionError(f"the indexer does not come to rest: {steps.most_common(5)}")

    @contextmanager
    def _failing_database(self, rate: float) -> Iterator[None]:
        """Statements fail, commits fail, and commits succeed of which nobody hears."""
        engine = self._make.kw["bind"]

        def fail(*_: object) -> None:
            if self.chance.random() < rate:
                raise OperationalError("", None, Exception("the database went away"))

        listeners = ((engine, "before_cursor_execute"), (engine, "commit"), (self._make, "after_commit"))
        for target, name in listeners:
            event.listen(target, name, fail)
        try:
            yield
        finally:
            for target, name in listeners:
                event.remove(target, name, fail)
