"""Blacklists, capacities and fair prices by file, and what they do to a claim."""

import io
from datetime import datetime
from typing import Any

import pytest
from openpyxl import Workbook

from tests.app.claims.scenario import World, build
from tests.app.conftest import RunningService


@pytest.fixture(scope="module")
def world(service: RunningService) -> World:
    return build(service)


def take(world: World, table: str, *lines: str, who: str = "registrar", **options: Any) -> Any:
    return world.service.post(f"/v1/check-tables/{table}", who, {"content": "\n".join(lines), **options})


def test_a_file_is_previewed_taken_once_and_corrected_by_a_later_one(world: World) -> None:
    header, row = "uscc,cards,from,to", f"{world.supplier},512,2024-01-01,2024-12-31"
    preview = world.json(take(world, "capacities", header, row, preview=True), 200)
    assert (preview["added"], preview["applied"]) == (1, False)
    first = world.json(take(world, "capacities", "\ufeff" + header, row), 200)
    assert (first["added"], first["applied"]) == (1, True)
    again = world.json(take(world, "capacities", header, row), 200)
    assert (again["added"], again["changed"], again["unchanged"]) == (0, 0, 1)
    later = world.json(take(world, "capacities", header, row.replace("512", "64")), 200)
    assert (later["changed"], later["applied"]) == (1, True)


def test_each_bad_row_is_named_and_stops_the_file(world: World) -> None:
    good = f"{world.supplier},dishonest,2024-01-01,2024-12-31"
    bad = (
        "91410100MA4T00000X,dishonest,2024-01-01,2024-12-31",
        f"{world.supplier},nice,2024-01-01,2024-12-31",
        f"{world.supplier},dishonest,2024-13-01,2024-12-31",
        f"{world.supplier},dishonest,2024-12-31,2024-01-01",
        good + ",more",
        good,
    )
    answer = world.json(take(world, "blacklists", "uscc,list_name,from,to", good, *bad), 200)
    assert [(one["row"], one["column"]) for one in answer["errors"]] == [
        (3, "uscc"),
        (4, "list_name"),
        (5, "from"),
        (6, "to"),
        (7, ""),
        (8, "from"),
    ]
    assert answer["applied"] is False
    assert take(world, "blacklists", "uscc,from,to", good).json()["errors"][0]["rule"] == "header"
    assert take(world, "blacklists", "uscc,list_name,from,to", f'"{good}').status_code == 422


def sheet(*rows: tuple[Any, ...]) -> bytes:
    """An XLSX file."""
    book, content = Workbook(), io.BytesIO()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(content)
    return content.getvalue()


def test_a_spreadsheet_says_what_its_text_would(world: World) -> None:
    url = "/v1/check-tables/capacities/file"
    head, days = ("uscc", "cards", "from", "to"), (datetime(2023, 1, 1), datetime(2023, 12, 31))  # noqa: DTZ001

    def send(content: bytes, who: str = "registrar", **query: Any) -> Any:
        return world.service.http.post(url, content=content, headers=world.service.headers(who), params=query)

    good = sheet(head, (world.supplier, 512, *days))
    assert [world.json(send(good, **query), 200)["added"] for query in ({"dry": True}, {}, {})] == [1, 1, 0]
    as_text = f"uscc,cards,from,to\n{world.supplier},512,2023-01-01,2023-12-31".encode()
    assert world.json(send(as_text), 200)["unchanged"] == 1
    wrong = world.json(send(sheet(head, (world.supplier, "=1+1", *days), (world.supplier, 1.5, *days))), 200)
    assert [(one["row"], one["column"]) for one in wrong["errors"]] == [(2, "cards"), (3, "cards")]
    assert [send(content).status_code for content in (b"PK\x03\x04 and no more", b"\xff\xfe", sheet())] == [422] * 3
    assert send(good, "operator").status_code == 403


def test_tables_hold_and_reject_claims(world: World) -> None:
    take(world, "capacities", "uscc,cards,from,to", f"{world.supplier},8,2024-01-01,2024-12-31")
    take(world, "prices", "resource,price_fen,from,to", "A100/card_hour,2000,2024-01-01,2024-12-31")
    take(world, "blacklists", "uscc,list_name,from,to", f"{world.buyers[2]},tax_blacklisted,2020-01-01,2099-12-31")
    day = {
        "charge_period_start": "2024-07-01T00:00:00Z",
        "charge_period_end": "2024-07-02T00:00:00Z",
        "consumed_unit": "card_hour",
        "chip_model": "A100",
    }
    # 8 cards for a day are 192 card-hours; half of them each is enough once and too much three times.
    changes = [
        {"consumed_quantity": "96", "contracted_unit_price_fen": 2000, "settled_fen": 192_000},
        {"consumed_quantity": "96", "contracted_unit_price_fen": 2600, "settled_fen": 249_600},
        {"consumed_quantity": "1", "contracted_unit_price_fen": 2601, "settled_fen": 2_601},
        {"buyer": world.buyers[2], "consumed_quantity": "1", "contracted_unit_price_fen": 2000, "settled_fen": 2_000},
    ]
    vouchers = [world.voucher(0)] * 3 + [world.voucher(2)]
    records = [world.record(**day, **change) for change in changes]
    for hour, record in enumerate(records):
        record["traded_at"] = f"2024-07-02T0{hour}:00:00Z"
    evidence = world.evidence_ids(records)
    claims = world.claim(list(zip(vouchers, evidence, strict=True))[:3])
    assert [claim["state"] for claim in claims] == ["redeemed", "redeemed", "held"]
    checks = world.json(world.service.get("/v1/holds"), 200)["items"][0]["findings"]
    assert {(one["check"], one["outcome"]["code"]) for one in checks} == {
        ("price-fair", "outside_range"),
        ("plausible", "above_capacity"),
    }
    hold = world.json(world.service.get("/v1/holds", code="plausible"), 200)["items"][0]["id"]
    world.json(world.service.post(f"/v1/holds/{hold}/reject", "reviewer-2", {"reason": "more than it has"}), 200)
    (blacklisted,) = world.claim([(vouchers[3], evidence[3])])
    assert (blacklisted["state"], blacklisted["code"]) == ("refused", "standing")
    assert blacklisted["detail"]["lists"] == ["tax_blacklisted"]


def test_only_the_registrar_imports(world: World) -> None:
    for who in ("operator", "reviewer-1", "finance", "regulator", world.platform_key, world.buyer_keys[0]):
        assert take(world, "prices", "resource,price_fen,from,to", who=who).status_code == 403
    assert take(world, "nonsense", "a").status_code == 422
