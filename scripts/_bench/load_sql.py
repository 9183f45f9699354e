"""The statements that make the rows of `load.py`, in order; each with what it makes."""
# ruff: noqa: S608 - nothing of a user is in them

PROGRAMMES, TIERS, PERIODS, SUPPLIERS = 9, 4, 3, 60
BEGIN = 1_717_200_000
"""1 June 2024."""
DAY = 86_400
BLOCK_S = 600
"""Seconds between blocks."""
_YEARS = 730 * DAY


def _hash(kind: str, number: str) -> str:
    return f"sha256(('{kind}' || ({number}))::bytea)"


def _event(name: str, contract: str = "VoucherLedger") -> str:
    """An event for each row of a SELECT that gives k, at, voucher_id, redemption_id, programme_id, entity_id, data."""
    return f"""
INSERT INTO chain_events (deployment_id, id, block_number, block_hash, tx_hash, tx_index, log_index, contract, event,
    topics, data, voucher_id, redemption_id, programme_id, entity_id)
SELECT 1, block * 1048576 + log, block, {_hash("block", "block")}, {_hash("tx", "block || '/' || log / 20")}, 0, log,
    '{contract}', '{name}', decode(repeat('00', 96), 'hex'), data, voucher_id, redemption_id, programme_id, entity_id
FROM (SELECT *, row_number() OVER (PARTITION BY block) + {_FIRST_LOG[name]} AS log
    FROM (SELECT *, (at - {BEGIN}) / {BLOCK_S} + 10 AS block FROM ({_EVENTS[name]}) AS moved) AS placed) AS numbered
ORDER BY block"""


_FIRST_LOG = {
    "VoucherIssued": 0,
    "Redeemed": 100_000,
    "WrittenOff": 200_000,
    "RedemptionRejected": 300_000,
    "Recovered": 400_000,
    "VoucherCancelled": 500_000,
}
_REDEMPTION = "voucher_id, id AS redemption_id, programme_id, entity_id"
_EVENTS = {
    "VoucherIssued": "SELECT issued_at AS at, id AS voucher_id, NULL::bigint AS redemption_id, programme_id, entity_id,"
    " decode(repeat('00', 160), 'hex') AS data FROM vouchers",
    "Redeemed": f"SELECT redeemed_at AS at, {_REDEMPTION}, decode(repeat('00', 320), 'hex') AS data FROM redemptions",
    "WrittenOff": f"SELECT written_off_at AS at, {_REDEMPTION}, ''::bytea AS data"
    " FROM redemptions WHERE state = 'written_off'",
    "RedemptionRejected": f"SELECT redeemed_at + 5 * {DAY} AS at, {_REDEMPTION},"
    " decode(repeat('00', 64), 'hex') AS data"
    " FROM redemptions WHERE state = 'rejected'",
    "Recovered": f"SELECT written_off_at + 7 * {DAY} AS at, {_REDEMPTION},"
    " decode(lpad(to_hex(recovered_fen), 64, '0'), 'hex') AS data FROM redemptions WHERE recovered_fen > 0",
    "VoucherCancelled": f"SELECT issued_at + 170 * {DAY} AS at, id AS voucher_id, NULL::bigint AS redemption_id,"
    " programme_id, entity_id, ''::bytea AS data FROM vouchers WHERE state = 'cancelled'",
}
_ZERO = "decode(repeat('00', 32), 'hex')"
CHAIN = (
    (
        "vouchers",
        f"""
INSERT INTO vouchers (deployment_id, id, programme_id, entity_id, tier, period, holder_region, holder_kind, state,
    issued_at, valid_until, face_fen, redeemed_fen, written_off_fen, returned_fen, documents, tx_hash, block_number)
SELECT 1, ((1 + k % {PROGRAMMES})::bigint << 32) + 1 + k / {PROGRAMMES}, 1 + k % {PROGRAMMES},
    {_hash("holder", "k / 20")}, k % {TIERS}, (k::bigint * {_YEARS} / :vouchers) / (365 * {DAY}),
    410100 + 100 * (k / 20 % 12),
    (ARRAY['enterprise', 'research_institute', 'university', 'intermediary', 'maker'])[1 + k / 20 % 5],
    CASE WHEN k % 50 = 0 THEN 'cancelled' ELSE 'live' END,
    {BEGIN} + k::bigint * {_YEARS} / :vouchers,
    {BEGIN} + k::bigint * {_YEARS} / :vouchers + (180 + k % 4 * 305) * {DAY},
    1000000, 0, 0, 0, {_hash("documents", "k")}, {_hash("issue", "k / 40")},
    (k::bigint * {_YEARS} / :vouchers) / {BLOCK_S} + 10
FROM generate_series(0, :vouchers - 1) AS k""",
    ),
    (
        "redemptions",
        f"""
INSERT INTO redemptions (deployment_id, id, voucher_id, programme_id, entity_id, state, period, amount_fen,
    recovered_fen, rate_bps, "limit", settlement_key, contract_key, leaf, platform_id, supplier_id, kind, compute_type,
    attributes, region, settled_fen, traded_at, redeemed_at, written_off_at, payment_ref, reason, trade_barred, tx_hash,
    block_number)
SELECT 1, (programme_id::bigint << 32) + row_number() OVER (ORDER BY at), voucher_id, programme_id, entity_id, state,
    period, 100000,
    CASE WHEN state = 'written_off' AND n % 997 = 1 THEN 50000 ELSE 0 END, 3000, 'none', {_hash("invoice", "n")},
    {_hash("contract", "n")}, {_hash("leaf", "n")}, {_hash("platform", "0")}, {_hash("supplier", f"n % {SUPPLIERS}")},
    'compute', 'intelligent', 0, 410100, 333334, at, at, CASE WHEN state = 'written_off' THEN at + 30 * {DAY} END,
    CASE WHEN state = 'written_off' THEN {_hash("payment", "n / 1000")} END,
    CASE WHEN state = 'rejected' THEN rpad('invoice cancelled', 32, '_')::bytea END, false, {_hash("redeem", "n / 20")},
    (at - {BEGIN}) / {BLOCK_S} + 10
FROM (SELECT *, CASE WHEN n % 5 > 0 THEN 'written_off' WHEN n % 97 = 0 THEN 'rejected' ELSE 'provisional' END AS state,
        issued_at + n % 90 * {DAY} AS at
    FROM (SELECT id AS voucher_id, programme_id, entity_id, period, issued_at,
            ((id & 4294967295) - 1) * 45 + (programme_id - 1) * 5 + i AS n
        FROM vouchers, generate_series(0, 4) AS i) AS numbered) AS decided
ORDER BY at""",
    ),
    (
        "what vouchers were used for",
        """
UPDATE vouchers SET redeemed_fen = used.redeemed_fen, written_off_fen = used.written_off_fen,
    returned_fen = CASE WHEN vouchers.state = 'cancelled' THEN face_fen - used.redeemed_fen ELSE 0 END
FROM (SELECT voucher_id, 100000 * count(*) FILTER (WHERE state <> 'rejected') AS redeemed_fen,
    100000 * count(*) FILTER (WHERE state = 'written_off') AS written_off_fen FROM redemptions GROUP BY 1) AS used
WHERE used.voucher_id = vouchers.id""",
    ),
    *((f"events {name}", _event(name)) for name in _EVENTS),
    (
        "blocks",
        f"""
INSERT INTO chain_blocks (deployment_id, number, hash, parent_hash, timestamp)
SELECT 1, block, {_hash("block", "block")}, {_hash("block", "block - 1")},
    {BEGIN} + (block - 10) * {BLOCK_S} + {BLOCK_S - 1}
FROM generate_series(10, (SELECT max(block_number) FROM chain_events)) AS block""",
    ),
)
_PLATFORM = _hash("platform", "0")
EVIDENCE = (
    (
        "submissions",
        f"""
INSERT INTO evidence_submissions (platform_id, sequence, root, count, signature, custody, first_traded_at,
    last_traded_at, received_at)
SELECT {_PLATFORM}, s + 1, {_hash("root", "s")}, 10000, {_hash("signature", "s")}, false, 0, 0, 0
FROM generate_series(0, (:records - 1) / 10000) AS s""",
    ),
    (
        "evidence records",
        f"""
INSERT INTO evidence_records (id, platform_id, sequence, position, trade_id, trade_digest, leaf, settlement_key,
    buyer_id, supplier_id, traded_at, settled_fen, record, salt, content_digest)
SELECT 'ev_' || lpad(to_hex(n), 32, '0'), {_PLATFORM}, n / 10000 + 1, n % 10000, 'T' || n, key, key, key, key, key,
    {BEGIN} + n, 333334, key || key || key || key, key, key
FROM (SELECT n, {_hash("record", "n")} AS key FROM generate_series(0, :records - 1) AS n) AS keyed""",
    ),
    (
        "refused claims",
        f"""
INSERT INTO claims (id, voucher_id, programme_id, evidence_id, settlement_key, traded_at, state, code, submitted_by,
    created_at, updated_at)
SELECT 'cl_' || lpad(to_hex(n), 32, '0'), 1, 1 + n % {PROGRAMMES}, 'ev_' || lpad(to_hex(n), 32, '0'), {_ZERO}, 0,
    'refused', 'VoucherLedger_' || (ARRAY['SettlementUsed', 'RegionOutOfScope', 'BudgetExhausted'])[1 + n % 3],
    'key', {BEGIN} + n * 200, {BEGIN} + n * 200
FROM generate_series(0, :vouchers / 4 - 1) AS n""",
    ),
)
# Every application is decided but one in 300, which waits; one in 9 was rejected.
APPLICATIONS = (
    (
        "applications",
        f"""
INSERT INTO applications (id, programme_id, entity_id, uscc, tier, face_fen, voucher_serial, valid_until, period,
    documents, documents_digest, facts, state, stage, submitted_by, created_at, updated_at)
SELECT 'ap_' || lpad(to_hex(k), 32, '0'), 1 + k % {PROGRAMMES}, {_hash("holder", "k / 20")}, 'maker:' || k / 20,
    k % {TIERS}, 1000000, 1 + k / {PROGRAMMES}, 4102444800, (k::bigint * {_YEARS} / :vouchers) / (365 * {DAY}), '[]',
    {_ZERO}, '{{}}',
    CASE WHEN k % 300 = 7 THEN 'under_review' WHEN k % 9 = 1 THEN 'rejected' ELSE 'approved' END,
    CASE WHEN k % 300 = 7 THEN k % 2 ELSE 2 END, 'key',
    {BEGIN} + k::bigint * {_YEARS} / :vouchers - 20 * {DAY}, {BEGIN} + k::bigint * {_YEARS} / :vouchers
FROM generate_series(0, :vouchers - 1) AS k""",
    ),
    (
        "steps of applications",
        f"""
INSERT INTO application_steps (application_id, at, action, before, state, stage, actor, role, key_id)
SELECT id, created_at + step * 10 * {DAY},
    (ARRAY['submit', 'sign', CASE state WHEN 'rejected' THEN 'reject' ELSE 'approve' END])[step + 1],
    (ARRAY[NULL, 'submitted', 'under_review'])[step + 1], (ARRAY['submitted', 'under_review', state])[step + 1],
    step, '', 'reviewer', 'key'
FROM applications, generate_series(0, 2) AS step WHERE state <> 'under_review' OR step <= stage
ORDER BY created_at""",
    ),
)
_CHINA_DAY = f"(at + 28800) / {DAY}"
_DIMENSIONS = {
    "programmes": "programme_id::text",
    "periods": "period::text",
    "tiers": "tier",
    "regions": "region::text",
    "kinds": "kind",
    "suppliers": "supplier",
}
_OF_VOUCHERS = {
    "programmes": "programme_id::text",
    "periods": "period::text",
    "tiers": "'tier_' || tier",
    "regions": "holder_region::text",
    "kinds": "holder_kind",
}
_CHAIN_SUMS = (
    "issued",
    "redeemed",
    "written_off",
    "rejected",
    "recovered",
    "returned",
)
_CELL = "v.programme_id, v.period, 'tier_' || v.tier AS tier, v.holder_region AS region, v.holder_kind AS kind"
_OF_REDEMPTIONS = "FROM redemptions r JOIN vouchers v ON v.id = r.voucher_id"
_SUPPLIER = "'0x' || encode(r.supplier_id, 'hex') AS supplier"


def _moves(flow: str, at: str, fen: str, rows: str, left_fen: str = "0") -> str:
    supplier = _SUPPLIER if "redemptions" in rows else "NULL AS supplier"
    return (
        f"SELECT {_CELL}, {supplier}, ({at} + 28800) / {DAY} AS day, '{flow}' AS flow, {fen}::bigint AS fen,"
        f" {left_fen}::bigint AS left_fen {rows}"
    )


_VALID = "v.valid_until"
_MOVES = " UNION ALL ".join(
    (
        _moves("issued", "v.issued_at", "v.face_fen", "FROM vouchers v", "v.face_fen"),
        _moves("redeemed", "r.redeemed_at", "r.amount_fen", _OF_REDEMPTIONS, "-r.amount_fen"),
        _moves("written_off", "r.written_off_at", "r.amount_fen", f"{_OF_REDEMPTIONS} WHERE r.state = 'written_off'"),
        _moves(
            "rejected",
            f"r.redeemed_at + 5 * {DAY}",
            "r.amount_fen",
            f"{_OF_REDEMPTIONS} WHERE r.state = 'rejected'",
            "r.amount_fen",
        ),
        _moves(
            "recovered",
            f"r.written_off_at + 7 * {DAY}",
            "r.recovered_fen",
            f"{_OF_REDEMPTIONS} WHERE r.recovered_fen > 0",
        ),
        _moves(
            "returned",
            f"v.issued_at + 170 * {DAY}",
            "v.returned_fen",
            "FROM vouchers v WHERE v.state = 'cancelled'",
            "v.redeemed_fen - v.face_fen",
        ),
    )
)
_COLUMNS = ", ".join(f"{name}, {name}_fen" for name in _CHAIN_SUMS)
_AMOUNTS = ", ".join(
    f"coalesce(sum(n) FILTER (WHERE flow = '{name}'), 0), coalesce(sum(fen) FILTER (WHERE flow = '{name}'), 0)"
    for name in _CHAIN_SUMS
)


def _days(dimension: str, key: str) -> str:
    """Sums by day; reserves change as what is left does, as all programmes reserve at issue."""
    return f"""
INSERT INTO rollups (deployment_id, span, dimension, programme_id, key, {_COLUMNS}, reserved_fen, left_fen)
SELECT 1, to_char(DATE '1970-01-01' + day::int, 'YYYY-MM-DD'), '{dimension}', programme_id, {key}, {_AMOUNTS},
    {"0, 0" if dimension == "suppliers" else "sum(left_fen), sum(left_fen)"}
FROM bench_moves WHERE {key} IS NOT NULL GROUP BY day, programme_id, {key}"""


def _wider(table: str, span: str, columns: str, keys: str) -> str:
    """Sums of months or in all, from those of days."""
    sums = ", ".join(f"sum({name.strip()})" for name in columns.split(","))
    return (
        f"INSERT INTO {table} ({'deployment_id, ' if table == 'rollups' else ''}span, {keys}, {columns})"
        f" SELECT {'1, ' if table == 'rollups' else ''}{span}, {keys}, {sums} FROM {table} WHERE length(span) = 10"
        f" GROUP BY {keys}{'' if span.startswith(chr(39)) else f', {span}'}"
    )


_KEYS = "dimension, programme_id, key"
_ALL = f"{_COLUMNS}, reserved_fen, left_fen"
_APPLIED = ("applied", "approved", "rejected", "withdrawn")
_APPLIED_COLUMNS = ", ".join(f"{name}, {name}_fen" for name in _APPLIED)
_APPLIED_AMOUNTS = ", ".join(
    f"count(*) FILTER (WHERE did = '{name}'), 1000000 * count(*) FILTER (WHERE did = '{name}')" for name in _APPLIED
)


def _applied(dimension: str, key: str) -> str:
    return f"""
INSERT INTO application_rollups (span, dimension, programme_id, key, {_APPLIED_COLUMNS})
SELECT to_char(DATE '1970-01-01' + ({_CHINA_DAY})::int, 'YYYY-MM-DD'), '{dimension}', programme_id, {key},
    {_APPLIED_AMOUNTS}
FROM bench_applied GROUP BY 1, programme_id, {key}"""


SUMS = (
    (
        "movements",
        "CREATE TEMP TABLE bench_moves ON COMMIT DROP AS SELECT programme_id, period, tier, region, kind, supplier,"
        f" day, flow, count(*) AS n, sum(fen) AS fen, sum(left_fen) AS left_fen FROM ({_MOVES}) AS moved"
        " GROUP BY programme_id, period, tier, region, kind, supplier, day, flow",
    ),
    *((f"sums by day of {dimension}", _days(dimension, key)) for dimension, key in _DIMENSIONS.items()),
    ("sums by month", _wider("rollups", "substr(span, 1, 7)", _ALL, _KEYS)),
    ("sums in all", _wider("rollups", "'total'", _ALL, _KEYS)),
    *(
        (
            f"what is open, of {dimension}",
            f"""
INSERT INTO outstanding (deployment_id, dimension, programme_id, key, valid_day, left_fen)
SELECT 1, '{dimension}', programme_id, {key},
    (valid_until + 28800) / {DAY}, sum(face_fen - redeemed_fen) FROM vouchers WHERE state = 'live' GROUP BY 3, 4, 5""",
        )
        for dimension, key in _OF_VOUCHERS.items()
    ),
    (
        "steps that count",
        "CREATE TEMP TABLE bench_applied ON COMMIT DROP AS SELECT a.programme_id, a.period, 'tier_' || a.tier AS tier,"
        " 410100 + 100 * (k / 20 % 12) AS region,"
        " (ARRAY['enterprise', 'research_institute', 'university', 'intermediary', 'maker'])[1 + k / 20 % 5] AS kind,"
        " s.at, CASE s.action WHEN 'submit' THEN 'applied' ELSE s.state END AS did"
        " FROM application_steps s JOIN (SELECT *, ('x' || substr(id, 28))::bit(32)::int AS k FROM applications) a"
        " ON a.id = s.application_id WHERE s.action IN ('submit', 'approve', 'reject')",
    ),
    *(
        (f"applications by day of {dimension}", _applied(dimension, key))
        for dimension, key in _DIMENSIONS.items()
        if dimension != "suppliers"
    ),
    ("applications by month", _wider("application_rollups", "substr(span, 1, 7)", _APPLIED_COLUMNS, _KEYS)),
    ("applications in all", _wider("application_rollups", "'total'", _APPLIED_COLUMNS, _KEYS)),
    (
        "time of stages",
        f"INSERT INTO stage_rollups (span, programme_id, stage, kind, passages, seconds, longest_s)"
        f" SELECT 'total', programme_id, passed, 'review', count(*), count(*) * 10 * {DAY}, 10 * {DAY}"
        " FROM applications, generate_series(0, 1) AS passed WHERE state <> 'under_review' GROUP BY 2, 3",
    ),
)
