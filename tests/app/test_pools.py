"""Which of a role's keys sends what."""

from collections import Counter

import pytest
from sqlalchemy.orm import Session, sessionmaker

from app.pools import PoolEmpty, Pools, role_of
from chain.keys import KEY_NAMES
from chain.relay import OperationStatus, enqueue, get_operation
from tests.database import database_url, make

__all__ = ["database_url", "make"]

LANES = [f"voucher:{number}" for number in range(300)]


def test_lanes_spread_evenly_keep_their_key_and_leave_a_retiring_one(make: sessionmaker[Session]) -> None:
    two, three = Pools([*KEY_NAMES, "relayer-2"]), Pools([*KEY_NAMES, "relayer-2", "relayer-3"])
    with make.begin() as session:
        before = {lane: two.choose(session, "relayer", lane) for lane in LANES}
        after = {lane: three.choose(session, "relayer", lane) for lane in LANES}
        assert set(Counter(before.values())) == {"relayer", "relayer-2"}
        assert min(Counter(after.values()).values()) > len(LANES) // 5
        moved = [lane for lane in LANES if after[lane] != before[lane]]
        assert {after[lane] for lane in moved} == {"relayer-3"}

        # A lane that has something unfinished waits for it under the key that has it; then it moves.
        lane = moved[0]
        name = before[lane]
        operation_id = enqueue(session, kind="test", signer=name, lane=lane, to=bytes(20), data=b"").id
        assert three.choose(session, "relayer", lane) == name
        retired = Pools([*KEY_NAMES, "relayer-2", "relayer-3"], retiring=[name])
        assert retired.choose(session, "relayer", lane) == "relayer-3"
        operation = get_operation(session, operation_id)
        assert operation is not None
        operation.status = OperationStatus.SUCCEEDED
        assert three.choose(session, "relayer", lane) == "relayer-3"


def test_what_has_no_lane_is_sent_by_the_first_key_that_takes_work(make: sessionmaker[Session]) -> None:
    with make() as session:
        assert Pools(["operator", "operator-2"]).choose(session, "operator") == "operator"
        assert Pools(["operator", "operator-2"], ["operator"]).choose(session, "operator") == "operator-2"


def test_reviewers_are_no_pool_and_a_role_keeps_a_key() -> None:
    assert [role_of(name) for name in ("reviewer-2", "relayer-2", "relayer-12", "relayer-1", "relayer")] == [
        "reviewer-2", "relayer", "relayer", "relayer-1", "relayer",
    ]  # fmt: skip
    with pytest.raises(PoolEmpty, match="finance would have no key"):
        Pools(["finance"], ["finance"])
