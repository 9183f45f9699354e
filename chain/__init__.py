"""Everything that speaks to an EVM: JSON-RPC client, embedded node, contract bindings, relay, log reader, verifier."""

import os

# One native keccak for all that hashes, py-evm included; eth-hash would take the first backend that it finds.
os.environ.setdefault("ETH_HASH_BACKEND", "pysha3")
