"""The embedded node: an EVM chain in a folder, served as JSON-RPC on the loopback.

`EmbeddedNode` is all that others use.

    rpc_server ─► methods ─► calls, pool ─► machine ─► store
                              miner ─────────┘
"""

from .embedded import EmbeddedNode
from .errors import DataFolderError, DataFolderInUse
from .rules import DEFAULT_CHAIN_ID

__all__ = ["DEFAULT_CHAIN_ID", "DataFolderError", "DataFolderInUse", "EmbeddedNode"]
