"""Fills a PostgreSQL with as many rows as a province has after years: 1 million vouchers, 5 million redemptions and
10 million evidence records, by COPY.

    from scripts._bench.load import load
    load(engine, scale=1.0)

Rows have the shapes that the indexer and the gateway write, and sums are kept by the indexer's own code, so the figures
of a report add up. Nine programmes, four tiers, three periods, twelve regions, five kinds, sixty suppliers, two years.
Contents are made from a counter: the same at each run.
"""

from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Engine, text

from app.evidence.repository import RECORD_COLUMNS
from app.indexer.bulk import insert_rows
from app.indexer.models import Budget, Period, Programme, Redemption, Tier, Voucher
from app.indexer.projected import OWN
from app.indexer.rollup_models import Outstanding, Rollup
from app.indexer.rollups import Tallies
from app.indexer.tables import Model, table_info

VOUCHERS, REDEMPTIONS_EACH, RECORDS = 1_000_000, 5, 10_000_000
PROGRAMMES, TIERS, PERIODS, SUPPLIERS = 9, 4, 3, 60
REGIONS = [410_100 + 100 * place for place in range(12)]
KINDS = ("enterprise", "research_institute", "university", "intermediary", "maker")
BEGIN = 1_717_200_000
"""1 June 2024."""
_DAY, _DAYS = 86_400, 730
_AT_ONCE = 20_000
_SUBMISSION = 10_000


def digest(kind: str, number: int) -> bytes:
    """32 bytes that belong to a number."""
    return sha256(f"{kind}{number}".encode()).digest()


def load(engine: Engine, scale: float, progress: Callable[[str], None]) -> dict[str, int]:
    """Fill an empty, migrated database; returns the rows by table."""
    vouchers = max(PROGRAMMES, int(VOUCHERS * scale))
    records = int(RECORDS * scale)
    tallies = Tallies()
    with engine.begin() as connection:
        _programmes(connection)
        made = 0
        for rows in _portions(_vouchers(vouchers, tallies), _AT_ONCE):
            insert_rows(connection, table_info(Voucher), OWN, rows)
            made += len(rows)
            progress(f"{made:,} vouchers")
        made = 0
        for rows in _portions(_redemptions(vouchers, tallies), _AT_ONCE):
            insert_rows(connection, table_info(Redemption), OWN, rows)
            made += len(rows)
            progress(f"{made:,} redemptions")
        _sums(connection, tallies)
    for sequence in range(1, -(-records // _SUBMISSION) + 1):
        with engine.begin() as connection:
            _submission(connection, sequence, min(_SUBMISSION, records - (sequence - 1) * _SUBMISSION))
        progress(f"{sequence * _SUBMISSION:,} evidence records")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        progress("VACUUM ANALYZE")
        connection.execute(text("VACUUM ANALYZE"))
    return {"vouchers": vouchers, "redemptions": vouchers * REDEMPTIONS_EACH, "evidence_records": records}


def _portions(rows: Iterator[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    while portion := list(islice(rows, size)):
        yield portion


def _programmes(connection: Connection) -> None:
    found: dict[Model, list[dict[str, Any]]] = {Programme: [], Budget: [], Period: [], Tier: []}
    place = {"tx_hash": digest("tx", 0), "block_number": 1}
    for number in range(1, PROGRAMMES + 1):
        found[Programme].append(
            {
                "id": number,
                "policy_hash": digest("policy", number),
                "policy_uri": "",
                "group_id": 1,
                "status": "published",
                "terms": {},
                "last_traded_at": 0,
                "created_at": BEGIN,
                "published_at": BEGIN,
                "terminated_at": None,
                **place,
            }
        )
        amounts = dict.fromkeys(("reserved_fen", "redeemed_fen", "written_off_fen", "recovered_fen"), 0)
        found[Budget].append({"programme_id": number, "index": 0, "amount_fen": 10**12, **amounts})
        for index in range(PERIODS):
            span = {"starts_at": BEGIN + index * 365 * _DAY, "ends_at": BEGIN + (index + 1) * 365 * _DAY}
            found[Period].append({"programme_id": number, "index": index, "budget_index": 0, **span})
        for index in range(TIERS):
            tier = {"entity_id": None, "period_cap_fen": None, "total_cap_fen": None, "rate_bps": [3_000]}
            found[Tier].append({"programme_id": number, "index": index, "name": f"tier_{index}", **tier})
    for model, rows in found.items():
        insert_rows(connection, table_info(model), OWN, rows)


def _voucher(number: int) -> dict[str, Any]:
    programme_id = 1 + number % PROGRAMMES
    issued_at = BEGIN + (number * 7_919) % (_DAYS * _DAY)
    holder = number // 20
    return {
        "id": (programme_id << 32) + 1 + number // PROGRAMMES,
        "programme_id": programme_id,
        "entity_id": digest("holder", holder),
        "tier": number % TIERS,
        "period": (issued_at - BEGIN) // (365 * _DAY),
        "holder_region": REGIONS[holder % len(REGIONS)],
        "holder_kind": KINDS[holder % len(KINDS)],
        "state": "live",
        "issued_at": issued_at,
        "valid_until": issued_at + 180 * _DAY,
        "face_fen": 1_000_000,
        "redeemed_fen": 100_000 * REDEMPTIONS_EACH,
        "written_off_fen": 100_000 * (REDEMPTIONS_EACH - 1),
        "returned_fen": 0,
        "documents": digest("documents", number),
        "tx_hash": digest("issue", number // 40),
        "block_number": 10 + number // 40,
    }


def _cell(voucher: dict[str, Any], supplier_id: bytes | None) -> tuple[int, int, str, int, str, bytes | None]:
    tier = f"tier_{voucher['tier']}"
    where = (voucher["holder_region"], voucher["holder_kind"], supplier_id)
    return (voucher["programme_id"], voucher["period"], tier, *where)


def _vouchers(count: int, tallies: Tallies) -> Iterator[dict[str, Any]]:
    for number in range(count):
        row = _voucher(number)
        tallies.flow("issued", _cell(row, None), row["issued_at"], row["face_fen"])
        tallies.leave(_cell(row, None), row["valid_until"], row["face_fen"] - row["redeemed_fen"])
        tallies.keep_event()
        yield row


def _redemptions(vouchers: int, tallies: Tallies) -> Iterator[dict[str, Any]]:
    for number in range(vouchers * REDEMPTIONS_EACH):
        voucher = _voucher(number // REDEMPTIONS_EACH)
        written_off = number % REDEMPTIONS_EACH > 0
        supplier_id = digest("supplier", number % SUPPLIERS)
        at = voucher["issued_at"] + (number % 90) * _DAY
        cell = _cell(voucher, supplier_id)
        tallies.flow("redeemed", cell, at, 100_000)
        if written_off:
            tallies.flow("written_off", cell, at + 30 * _DAY, 100_000)
        tallies.keep_event()
        yield {
            "id": (voucher["programme_id"] << 32) + 1 + number,
            "voucher_id": voucher["id"],
            "programme_id": voucher["programme_id"],
            "entity_id": voucher["entity_id"],
            "state": "written_off" if written_off else "provisional",
            "period": voucher["period"],
            "amount_fen": 100_000,
            "recovered_fen": 0,
            "rate_bps": 3_000,
            "limit": "none",
            "settlement_key": digest("invoice", number),
            "contract_key": digest("contract", number),
            "leaf": digest("leaf", number),
            "platform_id": digest("platform", 0),
            "supplier_id": supplier_id,
            "kind": "compute",
            "compute_type": "intelligent",
            "attributes": 0,
            "region": 410_100,
            "settled_fen": 333_334,
            "traded_at": at,
            "redeemed_at": at,
            "written_off_at": at + 30 * _DAY if written_off else None,
            "payment_ref": digest("payment", number // 1_000) if written_off else None,
            "reason": None,
            "trade_barred": False,
            "tx_hash": digest("redeem", number // 20),
            "block_number": 50_000 + number // 20,
        }


def _sums(connection: Connection, tallies: Tallies) -> None:
    names = table_info(Rollup).names
    rollups = [
        dict(zip(names[:4], line, strict=True)) | dict.fromkeys(names[4:], 0) | amounts
        for line, amounts in tallies.take_rollups().items()
    ]
    insert_rows(connection, table_info(Rollup), OWN, rollups)
    keys = table_info(Outstanding).names[:4]
    outstanding = [
        dict(zip(keys, place, strict=True)) | {"left_fen": fen} for place, fen in tallies.take_outstanding().items()
    ]
    insert_rows(connection, table_info(Outstanding), OWN, outstanding)


def _submission(connection: Connection, sequence: int, count: int) -> None:
    platform = digest("platform", 0)
    connection.execute(
        text(
            "INSERT INTO evidence_submissions (platform_id, sequence, root, count, signature, custody, first_traded_at,"
            " last_traded_at, received_at) VALUES (:platform, :sequence, :root, :count, :root, false, 0, 0, 0)"
        ),
        {"platform": platform, "sequence": sequence, "root": digest("submission", sequence), "count": count},
    )
    statement = f"COPY evidence_records ({', '.join(RECORD_COLUMNS)}) FROM STDIN (FORMAT BINARY)"
    types = ("text", "bytea", "int8", "int4", "text", *["bytea"] * 5, "int8", "int8", *["bytea"] * 3)
    first = (sequence - 1) * _SUBMISSION
    with connection.connection.cursor().copy(statement) as copy:
        copy.set_types(types)
        for place in range(count):
            number = first + place
            key = digest("record", number)
            # A record has some 900 bytes of JSON; that it is not JSON here makes no difference to a report.
            values = (f"ev_{sequence:024x}{place:08x}", platform, sequence, place, f"T{number}", key, key)
            parties = (digest("invoice", number), key, digest("supplier", number % SUPPLIERS))
            copy.write_row((*values, *parties, BEGIN, 333_334, key * 4, key[:16], key))
