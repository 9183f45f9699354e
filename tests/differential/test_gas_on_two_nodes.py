"""`scripts/bench gas`: the same gas on the embedded node and on anvil, to the unit."""

import json
import subprocess
from pathlib import Path

from scripts._bench.gas import measure
from scripts._bench.node import embedded, remote

BENCH = Path(__file__).resolve().parents[2] / "scripts" / "bench"


def test_embedded_node_and_anvil_use_the_same_gas(anvil_url: str) -> None:
    with embedded() as node:
        here = measure(node, eas=False)
    with remote(anvil_url) as node:
        there = measure(node, eas=False)
    assert {row.name: row.gas for row in here.rows} == {row.name: row.gas for row in there.rows}
    assert {row.name: row.floor for row in here.rows} == {row.name: row.floor for row in there.rows}


def test_nothing_costs_less_than_its_floor_and_json_is_one_object() -> None:
    done = subprocess.run([BENCH, "gas", "--no-eas", "--json"], capture_output=True, text=True, check=True)
    rows = json.loads(done.stdout)["rows"]
    assert len(rows) >= 15
    for row in rows:
        floor = row["floor"]
        assert row["gas_each"] >= floor["gas_each"], row
        assert floor["transaction"] + floor["calldata"] + floor["storage"] <= row["gas"]
