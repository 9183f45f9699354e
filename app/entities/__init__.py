"""Organisations: who they are off chain, and what the registry says of them."""
