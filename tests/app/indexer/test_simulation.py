"""The simulation, short. Long: SUANQUAN_SIMULATION_ROUNDS=600 ./scripts/test tests/app/indexer/test_simulation.py;
another world: SUANQUAN_SIMULATION_SEED."""

import logging
import os
from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session, sessionmaker

from app.migrate import upgrade
from chain.rpc import RpcClient
from chain.sql import open_engine, sessions
from scripts._anvil import Anvil
from tests.chain.ledger_world import World

from .simulation import Simulation

_log = logging.getLogger(__name__)

ROUNDS = int(os.environ.get("SUANQUAN_SIMULATION_ROUNDS", "12"))
SEED = int(os.environ.get("SUANQUAN_SIMULATION_SEED", "1"))


@pytest.fixture
def clean(tmp_path: object) -> Iterator["sessionmaker[Session]"]:
    """Sessions on another database, for rebuilds."""
    url = f"sqlite:///{tmp_path}/clean.sqlite"
    upgrade(url)
    engine = open_engine(url)
    yield sessions(engine)
    engine.dispose()


def test_the_tables_are_those_of_a_clean_rebuild_whatever_happened(
    make: sessionmaker[Session], clean: sessionmaker[Session]
) -> None:
    with Anvil() as anvil, RpcClient(anvil.url) as rpc:
        simulation = Simulation(World.deployed(rpc, "simulated"), make, clean, SEED)
        simulation.run(ROUNDS)
        simulation.close()
    _log.info("seed %d, %d rounds: %s; faults: %s", SEED, ROUNDS, dict(simulation.done), dict(simulation.faults))
    assert simulation.done["comparisons"] >= 1
