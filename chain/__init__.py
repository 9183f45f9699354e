"""Everything that speaks to an EVM: JSON-RPC client, embedded node, contract bindings, relay, log reader, verifier."""
