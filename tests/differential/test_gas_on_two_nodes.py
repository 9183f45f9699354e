"""`scripts/bench gas`: the same gas on the embedded node and on anvil, to the unit."""

import json
import subprocess
from pathlib import Path

from scripts._bench.gas import measure
from scripts._bench.node import embedded

BENCH = Path(__file__).resolve().parents[2] / "scripts" / "bench"


def test_embedded_node_and_anvil_use_the_same_gas_and_never_less_than_the_floor(anvil_url: str) -> None:
    with embedded() as node:
        here = measure(node, eas=False).to_dict()["rows"]
    command = [str(BENCH), "gas", "--no-eas", "--json", "--rpc", anvil_url]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    there = json.loads(done.stdout)["rows"]
    assert here == there
    assert len(here) >= 15
    for row in here:
        floor = row["floor"]
        assert floor["transaction"] + floor["calldata"] + floor["storage"] <= row["gas"], row
