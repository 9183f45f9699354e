"""Checks all that happened from chain events alone, without the service's database."""
