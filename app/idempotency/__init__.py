"""Idempotency-Key: a request that is repeated gets the first answer and does nothing."""
