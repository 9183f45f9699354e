"""The year that the demo plays: bills made of a trace by a rule that is written down."""

from pathlib import Path

from scripts._demo.year_trades import ALL_BUYERS, CARDS_PER_GPU, FIRST, LAST, YEAR, bills

HEAD = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time"


def test_a_trace_is_laid_over_the_year_and_billed_by_buyer_model_and_month(tmp_path: Path) -> None:
    # 480 tasks of one card and an hour each, on one model: twenty for each of the 24 buyers, forty in each month.
    trace = tmp_path / "trace.csv"
    lines = [f"pod-{number},1,1,1,1000,A10,LS,Succeeded,0,{3600 + number},{number}" for number in range(480)]
    trace.write_text("\n".join([HEAD, *lines]))
    made = bills(trace)
    times = [bill.record["traded_at"] for bill in made]
    assert times == sorted(times)
    assert FIRST.strftime("%Y-%m-%dT%H:%M:%SZ") < times[0]
    assert times[-1] == LAST.strftime("%Y-%m-%dT%H:%M:%SZ") == f"{YEAR}-12-31T15:59:59Z"
    assert {bill.buyer for bill in made} == {party.uscc for party in ALL_BUYERS}
    assert len({bill.record["invoice_id"] for bill in made}) == len(made)
    hours = sum(float(bill.record["consumed_quantity"]) for bill in made)
    assert hours == 480 * CARDS_PER_GPU
    # 8.50 yuan an hour, give or take a tenth.
    assert 0.9 < sum(bill.record["settled_fen"] for bill in made) / (480 * CARDS_PER_GPU * 850) < 1.1
