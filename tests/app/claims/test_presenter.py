"""How claims are put into transactions and what is made of their outcomes."""

import threading
from typing import Any

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session, sessionmaker

from app.auth.roles import Role
from app.auth.service import Principal
from app.claims import service
from app.claims.mending import mend_claims
from app.claims.models import Claim
from app.claims.presenter import ClaimPresenter
from app.claims.schemas import NewClaims
from app.evidence.anchorer import Anchorer
from app.evidence.models import EvidenceRecord
from app.indexer.models import Redemption
from app.settings import Settings
from chain.relay import Operation
from tests.app.evidence.bench import Bench
from tests.database import database_url, make  # noqa: F401 - fixtures

SETTINGS = {"batch_max_age_s": 0, "DATABASE_URL": "", "CHAIN_URL": ""}


@pytest.fixture
def bench(make: sessionmaker[Session]) -> Bench:  # noqa: F811
    return Bench(make, Settings(**SETTINGS))


def anchored(bench: Bench, *days: int) -> list[str]:
    """Evidence of trades on days of July, in a batch on chain."""
    found = bench.post(*(bench.record(traded_at=f"2024-07-{day:02d}T00:00:00Z") for day in days))
    anchor(bench)
    return found


def anchor(bench: Bench) -> None:
    """Puts all evidence on chain."""
    Anchorer(bench.gateway).step()
    bench.show_batch()


def claim(bench: Bench, voucher: int, evidence: list[str]) -> list[str]:
    """Claims; their ids."""
    body = NewClaims.model_validate({"items": [{"voucher_id": voucher, "evidence_id": one} for one in evidence]})
    with bench.sessions.begin() as session:
        return [view.id for view in service.take(session, Principal("k", Role.OPERATOR, ""), body).items]


def states(bench: Bench, claims: list[str]) -> list[str]:
    """States of claims."""
    with bench.sessions() as session:
        return [session.get_one(Claim, one).state for one in claims]


def ends(bench: Bench, claim_id: str, status: str, **changes: Any) -> None:
    """Gives the operation of a claim a state."""
    with bench.sessions.begin() as session:
        named = session.get_one(Claim, claim_id).operation_id
        operation = session.scalars(select(Operation).where(Operation.id == named)).one()
        operation.status = status
        for name, value in changes.items():
            setattr(operation, name, value)


def sent(bench: Bench) -> list[int]:
    """Trade times, as days of July, of what was sent to the ledger, in order."""
    calls = [arguments["claim"] for function, arguments in bench.operations() if function == "redeem"]
    return [1 + (one["trade"]["tradedAt"] - 1_719_792_000) // 86_400 for one in calls]


def test_claims_go_in_order_of_trade_time_one_round_at_a_time(bench: Bench) -> None:
    voucher = bench.show_programme(in_order=True)
    claim(bench, voucher, anchored(bench, 5, 2, 4, 3))
    presenter = ClaimPresenter(bench.gateway)
    assert presenter.step()
    claim(bench, voucher, anchored(bench, 1))
    assert not presenter.step()
    assert sent(bench) == [2, 3, 4, 5]


def test_an_earlier_claim_that_is_not_anchored_holds_the_later_ones_back(bench: Bench) -> None:
    voucher = bench.show_programme(in_order=True)
    later = anchored(bench, 1, 3)
    (earlier,) = bench.post(bench.record(traded_at="2024-07-02T00:00:00Z"))
    claims = claim(bench, voucher, [*later, earlier])
    presenter = ClaimPresenter(bench.gateway)
    presenter.step()
    assert sent(bench) == [1]
    bench.finish("refused", error={"code": "X", "args": {}, "message": ""})
    presenter.step()
    assert states(bench, claims) == ["refused", "waiting", "waiting"]
    anchor(bench)
    presenter.step()
    assert sent(bench)[1:] == [2, 3]


def test_where_order_is_free_nothing_waits_for_another(bench: Bench) -> None:
    voucher = bench.show_programme(in_order=False)
    later = anchored(bench, 3, 4, 5, 6)
    (earlier,) = bench.post(bench.record(traded_at="2024-07-01T00:00:00Z"))
    claim(bench, voucher, [*later, earlier])
    presenter = ClaimPresenter(bench.gateway)
    while presenter.step():
        pass
    assert sent(bench) == [3, 4, 5, 6]


def test_what_the_contract_says_is_final_and_what_failed_is_for_a_person_who_may_put_it_back(bench: Bench) -> None:
    voucher = bench.show_programme(in_order=True)
    presenter = ClaimPresenter(bench.gateway)
    (refused,) = claim(bench, voucher, anchored(bench, 1))
    presenter.step()
    bench.finish("refused", error={"code": "VoucherLedger_NotHolder", "args": {"voucherId": voucher}, "message": ""})
    presenter.step()
    (held,) = claim(bench, voucher, anchored(bench, 2))
    presenter.step()
    bench.finish("failed", error={"code": "UnknownSigner", "args": {}, "message": ""})
    presenter.step()
    assert states(bench, [refused, held]) == ["refused", "held"]
    with bench.sessions() as session:
        first = session.get_one(Claim, refused)
    assert (first.code, first.detail) == ("VoucherLedger_NotHolder", {"voucherId": voucher})
    bench.finish("queued")
    presenter.step()
    assert states(bench, [refused, held]) == ["refused", "presented"]


def test_an_outcome_is_not_noted_before_the_projection_shows_it(bench: Bench) -> None:
    voucher = bench.show_programme(in_order=True)
    claims = claim(bench, voucher, anchored(bench, 1))
    presenter = ClaimPresenter(bench.gateway)
    presenter.step()
    for block in (101, 100):
        bench.finish("succeeded", result={"tx_hash": "0x" + "11" * 32, "block_number": block, "events": []})
        presenter.step()
        assert states(bench, claims) == ["presented"]


def test_a_reorganisation_that_takes_a_redemption_back_lets_the_claim_follow_its_new_number(bench: Bench) -> None:
    voucher = bench.show_programme(in_order=True)
    claims = claim(bench, voucher, anchored(bench, 1, 2))
    presenter = ClaimPresenter(bench.gateway)
    presenter.step()
    mined = "0x" + "11" * 32
    refusal = {"code": "VoucherLedger_OutOfOrder", "args": {}, "message": ""}
    result = {"tx_hash": mined, "block_number": 100, "events": []}
    ends(bench, claims[0], "succeeded", result=result)
    ends(bench, claims[1], "refused", result=result, error=refusal)
    first = bench.show_redemption(2**32 + 7, claims[0], mined)
    presenter.step()
    assert states(bench, claims) == ["redeemed", "refused"]
    with bench.sessions.begin() as session:
        mend_claims(session, {Redemption: [first]})
        session.execute(delete(Redemption))
    for one in claims:
        ends(bench, one, "sent", result=None, error=None)
    presenter.step()
    assert states(bench, claims) == ["presented", "presented"]
    # The other way round on the new chain.
    ends(bench, claims[0], "refused", result=result, error=refusal)
    ends(bench, claims[1], "succeeded", result=result)
    bench.show_redemption(2**32 + 9, claims[1], mined)
    presenter.step()
    assert states(bench, claims) == ["refused", "redeemed"]
    with bench.sessions() as session:
        assert session.get_one(Claim, claims[1]).redemption_id == 2**32 + 9


def test_a_record_that_was_tampered_with_is_held_and_the_others_go(bench: Bench) -> None:
    voucher = bench.show_programme(in_order=True)
    evidence = anchored(bench, 1, 2)
    claims = claim(bench, voucher, evidence)
    with bench.sessions.begin() as session:
        row = session.get_one(EvidenceRecord, evidence[0])
        row.record = row.record.replace(b'"settled_fen":100', b'"settled_fen":999')
    ClaimPresenter(bench.gateway).step()
    assert states(bench, claims) == ["held", "presented"]
    assert sent(bench) == [2]


def test_several_workers_at_once_put_each_claim_into_one_operation(bench: Bench) -> None:
    voucher = bench.show_programme(in_order=False)
    claims = claim(bench, voucher, anchored(bench, *range(1, 15)))
    together = threading.Barrier(4)
    failures: list[BaseException] = []

    def work() -> None:
        try:
            together.wait()
            for _ in range(5):
                ClaimPresenter(bench.gateway).step()
        except BaseException as error:  # noqa: BLE001 - told by the test
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(sent(bench)) == list(range(1, 15))
    with bench.sessions() as session:
        assert None not in set(session.scalars(select(Claim.operation_id).where(Claim.id.in_(claims))))


def test_claiming_at_once_makes_one_claim(bench: Bench) -> None:
    voucher = bench.show_programme(in_order=True)
    evidence = anchored(bench, 1)
    together = threading.Barrier(4)
    made: list[str] = []

    def work() -> None:
        together.wait()
        made.extend(claim(bench, voucher, evidence))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 1
    assert len(made) == 4
