"""What a compute platform uses to post its trades: a synchronous client, and the readers behind `suanquan submit`.

    keys = {"signer": read_key("platform.key"), "jurisdiction_key": read_secret("jurisdiction.key")}
    with EvidenceClient(url, api_key=api_key, platform=uscc, **keys) as client:
        for outcome in client.submit_all(records):
            print(outcome.trade_id, outcome.status, outcome.id)

It needs `chain` alone, nothing of the gateway; a linter holds that.
"""

from app.client.client import EvidenceClient
from app.client.key_files import new_key, read_key, read_secret
from app.client.sending import Outcome
from app.client.transport import Refused, Unreachable

__all__ = ["EvidenceClient", "Outcome", "Refused", "Unreachable", "new_key", "read_key", "read_secret"]
