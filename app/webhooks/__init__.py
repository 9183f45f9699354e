"""Webhooks: events posted to those who asked for them, signed the Standard Webhooks way, until they are taken."""
