"""What the parts of one relay share."""

from dataclasses import dataclass

from sqlalchemy.orm import Session, sessionmaker

from chain.contracts import Contracts
from chain.rpc import RpcClient

from .broadcaster import Broadcaster
from .fees import FeePolicy
from .simulation import Simulation


@dataclass(frozen=True, slots=True)
class Equipment:
    """The database, the node, the deployment, and what is remembered of the node's answers."""

    sessions: sessionmaker[Session]
    rpc: RpcClient
    contracts: Contracts
    broadcaster: Broadcaster
    simulation: Simulation
    fees: FeePolicy
