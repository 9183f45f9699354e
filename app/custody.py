"""Keys that the gateway keeps for organisations that keep none: derived from one seed, so nothing more is stored."""

from app.gateway import Gateway
from chain.keys import LocalSigner, derive


def account_of(gateway: Gateway, uscc: str) -> str:
    """The custodial account of an organisation, as a 0x address."""
    return derive(gateway.custody_seed, f"account:{uscc}").address


def evidence_signer_of(gateway: Gateway, uscc: str) -> LocalSigner:
    """The custodial evidence key of a platform."""
    return derive(gateway.custody_seed, f"evidence:{uscc}")
