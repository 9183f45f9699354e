"""What an exported report commits to, so that whoever has the file can hold it against the chain.

A file is JSON with these members:

- `format`: `suanquan.report/1`; `report`: its name; `question`: what was asked for, all parameters, none left out.
- `anchor`: `chain_id`, `contracts` (name to address), `block_number` and `block_hash` of the newest block that counts,
  `moment` (Unix seconds: the block's, or the end of the day asked for; what vouchers are good for that ended earlier
  does not count, to the day),
  `parked_events` (events of that chain that could not be counted), `rows_sha256`, `chain_sha256`.
- `columns`: `name`, `kind` (fen, count, bps, seconds, instant, text, hash), `source`, `zh`, `en`. The source is `key`
  (what a row is about), `chain` (anybody can derive it from the events up to that block), `service` (known to this
  service alone), or `label` (a name put beside a key for people).
- `rows`: one object a row, a member a column; `totals`: sums of columns that can be added.

The digests are SHA-256 of UTF-8 JSON with sorted members, no blanks and nothing escaped that need not be. `rows_sha256`
is that of `rows`. `chain_sha256` is that of the rows cut to columns of source key and chain, rows left out in which
each chain column is 0 or null: what an audit derives, without this service, to the same digest.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

FORMAT = "suanquan.report/1"
KEY, CHAIN, SERVICE, LABEL = "key", "chain", "service", "label"


def rows_sha256(rows: Sequence[Mapping[str, Any]]) -> str:
    """Digest of all rows, 0x-hex."""
    return _sha256(list(rows))


def chain_sha256(columns: Iterable[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]]) -> str:
    """Digest of what the rows say of the chain, 0x-hex.

    Args:
        columns: Those of the file; `name` and `source` count.
    """
    return _sha256(chain_part(columns, rows))


def chain_part(columns: Iterable[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows cut to what can be derived from the chain."""
    sources = {str(column["name"]): column["source"] for column in columns}
    kept = [name for name, source in sources.items() if source in (KEY, CHAIN)]
    told = [name for name in kept if sources[name] == CHAIN]
    return [{name: row[name] for name in kept} for row in rows if any(row[name] not in (0, None) for name in told)]


def _sha256(content: object) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"0x{hashlib.sha256(text.encode()).hexdigest()}"
