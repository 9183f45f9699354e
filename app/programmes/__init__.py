"""Programmes: policy files become published terms on chain."""
