"""What a caller may read of the events."""

from app.auth.service import Principal
from app.gateway import Gateway
from chain.identifiers import entity_id


def party_of(gateway: Gateway, caller: Principal) -> bytes | None:
    """Registry id of the organisation that a caller acts for; None for staff, who see all."""
    return None if caller.is_staff else entity_id(gateway.jurisdiction_key, caller.subject)
