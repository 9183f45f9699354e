"""Short campaigns against the whole service; `./scripts/check --long chaos` runs long ones."""

import tempfile
from pathlib import Path

import pytest

from scripts._chaos.campaign import Options, carry_out

KILLS = 3


@pytest.mark.parametrize(
    ("seed", "chain", "database"),
    [(11, "anvil", "sqlite"), (12, "anvil", "postgresql"), (13, "embedded", "sqlite")],
)
def test_nothing_is_lost_or_done_twice_whatever_dies(seed: int, chain: str, database: str) -> None:
    # Not pytest's folder: PostgreSQL may have to run as another user.
    with tempfile.TemporaryDirectory(prefix="suanquan-chaos-") as name:
        options = Options(kills=KILLS, seed=seed, chain=chain, database=database, folder=Path(name), trades=32)
        report = carry_out(options, lambda _: None)
    assert report["ok"], report
    assert report["acknowledged"] > 0, report
