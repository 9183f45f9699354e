"""Vouchers and redemptions as the chain has them, and what officers do to them."""
