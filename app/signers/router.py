"""`/v1/signers`: the keys that send, and how long their money lasts."""

from fastapi import APIRouter

from app.auth.roles import Role
from app.auth.service import demand
from app.route import QuerySession, Reader
from app.signers.report import SignerView, report

router = APIRouter(prefix="/v1/signers", tags=["service"])


@router.get("")
def list_signers(session: QuerySession, caller: Reader) -> list[SignerView]:
    """Every key with its roles on chain, balance, work that waits, gas spent and the days that the balance lasts."""
    demand(caller, Role.OPERATOR, Role.REGULATOR)
    return report(session)
