"""The embedded node: an EVM chain in a folder, served as JSON-RPC on the loopback.

`embedded.EmbeddedNode` is all that others use. It is not imported here: loading the EVM takes long, and a gateway runs
it in a process of its own.

    rpc_server ─► methods ─► calls, pool ─► machine ─► store
                              miner ─────────┘
"""

from .errors import DataFolderError, DataFolderInUse

__all__ = ["DataFolderError", "DataFolderInUse"]
