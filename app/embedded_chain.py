"""The chain of a service that names no node: in the data folder, its keys owning something from the first block on."""

from app.keyring import key_addresses
from app.settings import Settings
from chain.keys import Keystore
from chain.node.embedded import EmbeddedNode

GENESIS_WEI = 10**27
"""Given to each of the service's keys on an embedded chain, where gas is free in all but name."""


def embedded_node(settings: Settings, keystore: Keystore) -> EmbeddedNode:
    """The node, not started."""
    return EmbeddedNode(
        settings.data_dir / "chain",
        chain_id=settings.chain_id,
        funded=dict.fromkeys(key_addresses(settings, keystore), GENESIS_WEI),
        port=settings.node_port,
    )
