"""The relay: an outbox in SQL, and the sender that empties it.

enqueue ─► operations ─► sender ─► transactions ─► broadcaster ─► node
               ▲                        │
               └──────── tracker ◄──────┘ receipts
"""

from .models import ChainTransaction, Operation, OperationStatus, SignerState, TransactionStatus
from .outbox import enqueue, get_operation, lane_signer
from .relay import Relay

__all__ = [
    "ChainTransaction",
    "Operation",
    "OperationStatus",
    "Relay",
    "SignerState",
    "TransactionStatus",
    "enqueue",
    "get_operation",
    "lane_signer",
]
