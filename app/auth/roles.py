"""The roles of callers, as in domain.md's table of actors."""

from enum import StrEnum


class Role(StrEnum):
    """What a caller may be."""

    OPERATOR = "operator"
    REGISTRAR = "registrar"
    REVIEWER = "reviewer"
    FINANCE = "finance"
    REGULATOR = "regulator"
    PLATFORM = "platform"
    ENTERPRISE = "enterprise"


STAFF = (Role.OPERATOR, Role.REGISTRAR, Role.REVIEWER, Role.FINANCE, Role.REGULATOR)
"""Those who may see every organisation's records."""
