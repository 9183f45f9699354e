"""The JSON-RPC methods: parameters in, a JSON value or rendered JSON out."""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any, TypeAlias

import msgspec
from eth_typing import Address

from . import params as parse
from .calls import call, estimate_gas
from .codec import keccak
from .errors import LIMIT_EXCEEDED, METHOD_NOT_FOUND, SERVER_ERROR, InvalidParams, NodeError
from .fee_history import fee_history
from .filters import Filters
from .header import Header
from .machine import Machine
from .params import BlockRef, LogFilter, Params
from .pool import Pool
from .render import PENDING_PLACE, mined_place, pending_members, transaction_object
from .rules import SUGGESTED_TIP_WEI, EvmState
from .state_proof import state_proof
from .store import LogPage, LogQuery, MinedTransaction
from .transaction import decode_transaction

# Other providers' limit and wording; log readers parse the range it proposes.
MAX_LOGS = 10_000

Answer: TypeAlias = object
Method: TypeAlias = Callable[["Methods", Params], Answer]

_METHODS: dict[str, tuple[Method, int]] = {}


def _method(name: str, most: int) -> Callable[[Method], Method]:
    """Register a method that takes at most so many parameters."""

    def register(function: Method) -> Method:
        _METHODS[name] = (function, most)
        return function

    return register


class Methods:
    """Answers single requests; any thread may call it."""

    def __init__(self, machine: Machine, pool: Pool) -> None:
        self._machine = machine
        self._store = machine.store
        self._pool = pool
        self._filters = Filters()
        self._client_version = f"suanquan-node/py-evm-{version('py-evm')}"

    def answer(self, name: str, values: Any) -> Answer:
        """The result of a method, JSON text wrapped in `msgspec.Raw` where it was rendered before.

        Raises:
            NodeError: what the client is told instead.
        """
        if name not in _METHODS:
            raise NodeError(METHOD_NOT_FOUND, f"the method {name} does not exist/is not available")
        if values is not None and not isinstance(values, list):
            raise InvalidParams("non-array args")
        function, most = _METHODS[name]
        return function(self, Params(values or [], most))

    # Node and network

    @_method("web3_clientVersion", 0)
    def _client(self, _: Params) -> Answer:
        return self._client_version

    @_method("web3_sha3", 1)
    def _sha3(self, params: Params) -> Answer:
        return _hex(keccak(parse.hex_bytes(params.required(0), "0")))

    @_method("net_version", 0)
    def _net_version(self, _: Params) -> Answer:
        return str(self._machine.chain_id)

    @_method("net_listening", 0)
    def _listening(self, _: Params) -> Answer:
        return True

    @_method("net_peerCount", 0)
    def _peers(self, _: Params) -> Answer:
        return "0x0"

    @_method("eth_chainId", 0)
    def _chain_id(self, _: Params) -> Answer:
        return hex(self._machine.chain_id)

    @_method("eth_syncing", 0)
    def _syncing(self, _: Params) -> Answer:
        return False

    @_method("eth_accounts", 0)
    def _accounts(self, _: Params) -> Answer:
        return []  # the node keeps no keys

    @_method("eth_blockNumber", 0)
    def _block_number(self, _: Params) -> Answer:
        return hex(self._machine.head.number)

    # Fees

    @_method("eth_gasPrice", 0)
    def _gas_price(self, _: Params) -> Answer:
        return hex(self._machine.head.base_fee_per_gas + SUGGESTED_TIP_WEI)

    @_method("eth_maxPriorityFeePerGas", 0)
    def _max_priority_fee(self, _: Params) -> Answer:
        return hex(SUGGESTED_TIP_WEI)

    @_method("eth_blobBaseFee", 0)
    def _blob_base_fee(self, _: Params) -> Answer:
        return "0x1"

    @_method("eth_feeHistory", 3)
    def _fee_history(self, params: Params) -> Answer:
        asked = params.required(0)
        blocks = asked if isinstance(asked, int) and asked >= 0 else parse.quantity(asked, "0", 64)
        newest = self._header(parse.block_ref(params.required(1), "1"))
        return fee_history(self._machine, newest, blocks, params.optional(2) or [])

    # State

    @_method("eth_getBalance", 2)
    def _balance(self, params: Params) -> Answer:
        owner = parse.address(params.required(0), "0")
        return hex(self._state(params.optional(1), "1").get_balance(owner))

    @_method("eth_getTransactionCount", 2)
    def _transaction_count(self, params: Params) -> Answer:
        owner = parse.address(params.required(0), "0")
        block = parse.block_ref(params.optional(1), "1", "latest")
        if block.tag == "pending":
            return hex(self._pool.next_nonce(owner))
        return hex(self._machine.state_after(self._header(block)).get_nonce(owner))

    @_method("eth_getCode", 2)
    def _code(self, params: Params) -> Answer:
        owner = parse.address(params.required(0), "0")
        return _hex(self._state(params.optional(1), "1").get_code(owner))

    @_method("eth_getStorageAt", 3)
    def _storage_at(self, params: Params) -> Answer:
        owner = parse.address(params.required(0), "0")
        slot = parse.slot(params.required(1), "1")
        return f"0x{self._state(params.optional(2), '2').get_storage(owner, slot):064x}"

    @_method("eth_getProof", 3)
    def _proof(self, params: Params) -> Answer:
        owner = parse.address(params.required(0), "0")
        header = self._header(parse.block_ref(params.optional(2), "2", "latest"))
        return state_proof(self._machine.store, header, owner, parse.slots(params.required(1), "1"))

    @_method("eth_call", 4)
    def _call(self, params: Params) -> Answer:
        request = parse.call_request(params.required(0), "0")
        _no_overrides(params)
        return _hex(call(self._state(params.optional(1), "1"), request))

    @_method("eth_estimateGas", 4)
    def _estimate_gas(self, params: Params) -> Answer:
        request = parse.call_request(params.required(0), "0")
        _no_overrides(params)
        # By default for the block that would be mined now: a rule about time may hold there and not yet at the head.
        return hex(estimate_gas(self._state(params.optional(1), "1", default="pending"), request))

    # Transactions

    @_method("eth_sendRawTransaction", 1)
    def _send_raw(self, params: Params) -> Answer:
        return _hex(self._pool.add(parse.hex_bytes(params.required(0), "0")))

    @_method("eth_getTransactionByHash", 1)
    def _transaction(self, params: Params) -> Answer:
        tx_hash = parse.hex_bytes(params.required(0), "0", 32)
        # The pool first: a transaction that is mined between the two look-ups is then still found in the second.
        pending = self._pool.get(tx_hash)
        mined = self._store.transaction(tx_hash)
        if mined is None and pending is not None:
            return transaction_object(pending, self._machine.head.base_fee_per_gas, PENDING_PLACE)
        return self._mined(mined)

    @_method("eth_getTransactionByBlockNumberAndIndex", 2)
    def _transaction_by_number(self, params: Params) -> Answer:
        return self._transaction_at(parse.block_ref(params.required(0), "0"), params.required(1))

    @_method("eth_getTransactionByBlockHashAndIndex", 2)
    def _transaction_by_hash(self, params: Params) -> Answer:
        return self._transaction_at(_hash_ref(params), params.required(1))

    @_method("eth_getTransactionReceipt", 1)
    def _receipt(self, params: Params) -> Answer:
        # A block is stored a moment before it is the head; whoever sees a receipt must find its effects at `latest`.
        newest = self._machine.head.number
        receipt = self._store.receipt_json(parse.hex_bytes(params.required(0), "0", 32), newest)
        return None if receipt is None else _raw(receipt)

    @_method("eth_getBlockReceipts", 1)
    def _block_receipts(self, params: Params) -> Answer:
        header = self._find(parse.block_ref(params.required(0), "0"))
        return None if header is None else _raw(self._store.receipts_json(header.number))

    def _transaction_at(self, block: BlockRef, position: object) -> Answer:
        header, index = self._find(block), parse.quantity(position, "1", 32)
        return None if header is None else self._mined(self._store.transaction_at(header.number, index))

    def _mined(self, mined: MinedTransaction | None) -> Answer:
        if mined is None:
            return None
        tx = decode_transaction(mined.raw, self._machine.chain_id, sender=Address(mined.sender))
        place = mined_place(mined.block_number, mined.block_hash, mined.position)
        return transaction_object(tx, self._machine.head.base_fee_per_gas, place)

    # Blocks

    @_method("eth_getBlockByNumber", 2)
    def _block_by_number(self, params: Params) -> Answer:
        block = parse.block_ref(params.required(0), "0")
        full = parse.boolean(params.optional(1), "1")
        return self._pending_block(full) if block.tag == "pending" else self._block(block, full)

    @_method("eth_getBlockByHash", 2)
    def _block_by_hash(self, params: Params) -> Answer:
        return self._block(_hash_ref(params), parse.boolean(params.optional(1), "1"))

    @_method("eth_getBlockTransactionCountByNumber", 1)
    def _count_by_number(self, params: Params) -> Answer:
        return self._count(parse.block_ref(params.required(0), "0"))

    @_method("eth_getBlockTransactionCountByHash", 1)
    def _count_by_hash(self, params: Params) -> Answer:
        return self._count(_hash_ref(params))

    @_method("eth_getUncleCountByBlockNumber", 1)
    def _uncles_by_number(self, params: Params) -> Answer:
        return None if self._find(parse.block_ref(params.required(0), "0")) is None else "0x0"

    @_method("eth_getUncleCountByBlockHash", 1)
    def _uncles_by_hash(self, params: Params) -> Answer:
        return None if self._find(_hash_ref(params)) is None else "0x0"

    def _block(self, block: BlockRef, full: bool) -> Answer:
        header = self._find(block)
        stored = None if header is None else self._store.block_json(header.number)
        if header is None or stored is None:
            return None
        members, transactions = stored
        if full:
            objects = [self._mined(mined) for mined in self._store.transactions(header.number)]
            transactions = msgspec.json.encode(objects).decode()
        return _raw(f'{{{members},"transactions":{transactions}}}')

    def _pending_block(self, full: bool) -> Answer:
        head = self._machine.head
        pending = self._pool.executable(1_000)
        transactions = [
            transaction_object(tx, head.base_fee_per_gas, PENDING_PLACE) if full else _hex(tx.hash) for tx in pending
        ]
        members = pending_members(head, self._machine.next_timestamp())
        return _raw(f'{{{members},"transactions":{msgspec.json.encode(transactions).decode()}}}')

    def _count(self, block: BlockRef) -> Answer:
        header = self._find(block)
        return None if header is None else hex(self._store.transaction_count(header.number))

    # Logs

    @_method("eth_getLogs", 1)
    def _get_logs(self, params: Params) -> Answer:
        return self._logs(parse.log_filter(params.required(0), "0"))

    @_method("eth_newFilter", 1)
    def _new_filter(self, params: Params) -> Answer:
        wanted = parse.log_filter(params.required(0), "0")
        if wanted.block_hash is not None:
            raise InvalidParams("invalid argument 0: a filter wants a range, not a block hash")
        return self._filters.install(wanted, self._machine.head.number)

    @_method("eth_newBlockFilter", 0)
    def _new_block_filter(self, _: Params) -> Answer:
        return self._filters.install(None, self._machine.head.number)

    @_method("eth_uninstallFilter", 1)
    def _uninstall_filter(self, params: Params) -> Answer:
        return self._filters.uninstall(params.required(0))

    @_method("eth_getFilterLogs", 1)
    def _filter_logs(self, params: Params) -> Answer:
        wanted = self._filters.get(params.required(0)).wanted
        if wanted is None:
            raise NodeError(SERVER_ERROR, "filter not found")
        return self._logs(wanted)

    @_method("eth_getFilterChanges", 1)
    def _filter_changes(self, params: Params) -> Answer:
        found = self._filters.get(params.required(0))
        first, last = self._filters.advance(found, self._machine.head.number)
        if found.wanted is None:
            return self._store.block_hashes(first, last)
        wanted_first = self._number(found.wanted.from_block, moving=0)
        wanted_last = self._number(found.wanted.to_block, moving=last)
        first, last = max(first, wanted_first), min(last, wanted_last)
        return _raw(self._store.logs(_query(found.wanted, first, last), None).json) if first <= last else []

    def _logs(self, wanted: LogFilter) -> Answer:
        head = self._machine.head.number
        if wanted.block_hash is not None:
            number = self._store.block_number(wanted.block_hash)
            if number is None:
                raise NodeError(SERVER_ERROR, "unknown block")
            return _raw(self._store.logs(_query(wanted, number, number), None).json)
        first, last = (self._number(block, moving=head) for block in (wanted.from_block, wanted.to_block))
        if first > last:
            raise InvalidParams("invalid block range params")
        # A single block is answered whole: nobody could ask for less.
        page = self._store.logs(_query(wanted, first, min(last, head)), None if first == last else MAX_LOGS)
        if page.cut_at is not None:
            raise _too_many_logs(first, page)
        return _raw(page.json)

    def _number(self, block: BlockRef, moving: int) -> int:
        """Height a range ends at; tags of the head stand for `moving`, since no block here is ever undone."""
        if block.number is not None:
            return block.number
        if block.hash is not None:
            raise InvalidParams("invalid argument 0: fromBlock and toBlock want numbers or tags")
        return 0 if block.tag == "earliest" else moving

    # Which block is meant

    def _find(self, block: BlockRef) -> Header | None:
        """The header a client names, None where there is no such block."""
        number: int | None
        if block.hash is not None:
            number = self._store.block_number(block.hash)
        elif block.number is not None:
            number = block.number
        else:
            # One operator's chain never reorganises: the newest block is final.
            number = 0 if block.tag == "earliest" else self._machine.head.number
        return None if number is None else self._machine.header(number)

    def _header(self, block: BlockRef) -> Header:
        header = self._find(block)
        if header is None:
            raise NodeError(SERVER_ERROR, "header not found")
        return header

    def _state(self, value: object, name: str, default: str = "latest") -> EvmState:
        block = parse.block_ref(value, name, default)
        if block.tag == "pending":
            return self._machine.state_of_next_block()
        return self._machine.state_after(self._header(block))


def _hash_ref(params: Params) -> BlockRef:
    return BlockRef(hash=parse.hex_bytes(params.required(0), "0", 32))


def _query(wanted: LogFilter, first: int, last: int) -> LogQuery:
    return LogQuery(first, last, wanted.addresses, wanted.topics)


def _too_many_logs(first: int, page: LogPage) -> NodeError:
    assert page.cut_at is not None  # noqa: S101
    # The block of the first log left out may be answered in part: end before it, but never before the first.
    last = max(first, page.cut_at - 1)
    return NodeError(
        LIMIT_EXCEEDED,
        f"query returned more than {MAX_LOGS} results. Try with this block range [{first:#x}, {last:#x}].",
    )


def _no_overrides(params: Params) -> None:
    for index, name in ((2, "state"), (3, "block")):
        if params.optional(index):
            raise InvalidParams(f"invalid argument {index}: {name} overrides are not supported")


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _raw(json: str) -> msgspec.Raw:
    return msgspec.Raw(json.encode())
