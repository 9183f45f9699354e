"""Makes valid organisations for tests."""

from itertools import count
from typing import Any

from stdnum.cn import uscc

STANDING_UNTIL = 1_830_268_799
_serial = count(1)


def new_uscc() -> str:
    """A 统一社会信用代码 that no other test has, check character included."""
    stem = f"91410100MA4T{next(_serial):05d}"
    return stem + uscc.calc_check_digit(stem)


def registration(number: str, role: str = "buyer", **changes: Any) -> dict[str, Any]:
    """Body of a registration."""
    kind = {"buyer": "enterprise"}.get(role, role)
    return {
        "uscc": number,
        "name": f"测试机构{number[-6:]}",
        "kind": kind,
        "roles": [role],
        "region": "410100",
        "standing_until": STANDING_UNTIL,
        **changes,
    }
