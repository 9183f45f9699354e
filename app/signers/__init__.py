"""The keys that send: what they hold, what gas cost them, how long it lasts."""
