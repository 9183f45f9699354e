"""Redemptions a second: our relay, the node by itself, and viem, with the same calls on the same state."""
