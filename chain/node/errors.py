"""Errors a JSON-RPC client of the node sees, with geth's codes and wording.

The relay classifies broadcast failures by these texts, as it does those of any other client, so they are spelled as
geth spells them.
"""

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
SERVER_ERROR = -32000
LIMIT_EXCEEDED = -32005
RESPONSE_TOO_LARGE = -32003
EXECUTION_REVERTED = 3


class NodeError(Exception):
    """A request the node refuses: `code` and `message` as JSON-RPC has them, `data` hex where a call reverted."""

    def __init__(self, code: int, message: str, data: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


class InvalidParams(NodeError):
    """A parameter of the wrong type, form or range; the message names which."""

    def __init__(self, message: str) -> None:
        super().__init__(INVALID_PARAMS, message)


class TransactionRejected(NodeError):
    """`eth_sendRawTransaction` did not take the transaction into the pool."""

    def __init__(self, message: str) -> None:
        super().__init__(SERVER_ERROR, message)


class DataFolderError(Exception):
    """The data folder cannot be used: another node holds it, or it holds another chain."""


class DataFolderInUse(DataFolderError):
    """Another node holds the folder."""
