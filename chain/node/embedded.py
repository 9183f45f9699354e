"""The embedded node as one object: folder, chain, pool, miner, server."""

import logging
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from eth_typing import Address

from .errors import InvalidParams
from .folder_lock import FolderLock
from .journal import PoolJournal
from .machine import Clock, Machine, wall_clock
from .methods import Methods
from .miner import Miner
from .params import address
from .pool import Pool
from .rpc_server import RpcServer
from .rules import DEFAULT_CHAIN_ID
from .store import ChainStore

_log = logging.getLogger(__name__)


class EmbeddedNode:
    """An Ethereum node of one's own, its chain in a folder, its JSON-RPC on the loopback.

        with EmbeddedNode("var/chain", funded={operator: 10**24}) as node:
            Web3(Web3.HTTPProvider(node.url))

    A block is on disk before anybody sees a receipt of it, so `kill -9` loses nothing that was acknowledged.
    """

    def __init__(
        self,
        data_dir: str | Path,
        *,
        chain_id: int = DEFAULT_CHAIN_ID,
        funded: Mapping[str, int] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Clock = wall_clock,
        block_time: float | None = None,
    ) -> None:
        """Name the folder and the settings; nothing is opened before `start`.

        Args:
            data_dir: made where missing.
            chain_id: fixed when the folder is created.
            funded: 0x-address to wei, in the genesis block; ignored for a folder that already has a chain.
            host: 127.0.0.1, localhost or ::1.
            port: 0 for any free one.
            clock: Unix seconds, for block timestamps.
            block_time: seconds between blocks, empty ones too; None mines when there is something to mine.
        """
        if not 0 < chain_id < 2**53:
            raise ValueError(f"chain_id must be between 1 and 2**53, not {chain_id}")
        if block_time is not None and block_time <= 0:
            raise ValueError(f"block_time must be positive, not {block_time}")
        self._folder = Path(data_dir)
        self._chain_id = chain_id
        self._funded = {_parse_address(owner): wei for owner, wei in (funded or {}).items()}
        self._host = host
        self._port = port
        self._clock = clock
        self._block_time = block_time
        self._url: str | None = None
        self._opened = ExitStack()

    @property
    def url(self) -> str:
        """The JSON-RPC address.

        Raises:
            RuntimeError: the node is not running.
        """
        if self._url is None:
            raise RuntimeError("the node is not running")
        return self._url

    @property
    def chain_id(self) -> int:
        """The chain's id (EIP-155)."""
        return self._chain_id

    def start(self) -> None:
        """Open the folder, mine, and serve. Starting a node that runs does nothing.

        Raises:
            DataFolderError: another node uses the folder, or it holds another chain or version.
            OSError: the folder cannot be written, or the port is taken.
        """
        if self._url is not None:
            return
        with ExitStack() as opened:
            self._url = self._open(opened)
            self._opened = opened.pop_all()

    def stop(self) -> None:
        """Finish the block and the requests in hand, and free the folder. May be started again."""
        self._url = None
        self._opened.close()

    def __enter__(self) -> "EmbeddedNode":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _open(self, opened: ExitStack) -> str:
        """Open the parts in order, so that `opened` closes them in reverse; returns the JSON-RPC address."""
        self._folder.mkdir(parents=True, exist_ok=True)
        opened.callback(FolderLock(self._folder).release)
        store = ChainStore(self._folder / "chain.sqlite")
        opened.callback(store.close)
        machine = Machine(store, chain_id=self._chain_id, funded=self._funded, clock=self._clock)
        for owner in self._funded:
            if machine.account(owner).balance == 0:
                _log.warning("0x%s owns nothing: accounts are funded only when the folder is created", owner.hex())
        pool = Pool(
            chain_id=self._chain_id,
            base_fee=machine.head.base_fee_per_gas,
            block_gas_limit=machine.head.gas_limit,
            account=machine.account,
            journal=PoolJournal(self._folder / "pending"),
        )
        opened.callback(pool.close)
        for tx_hash, reason in pool.restore():
            _log.info("0x%s is not pending any more: %s", tx_hash.hex(), reason)
        server = RpcServer(Methods(machine, pool), host=self._host, port=self._port)
        opened.callback(server.close)
        miner = Miner(machine, pool, block_time=self._block_time)
        miner.start()
        opened.callback(miner.stop)
        server.start()
        opened.callback(server.stop)
        _log.info("chain %d at block %d, JSON-RPC on %s", self._chain_id, machine.head.number, server.url)
        return server.url


def _parse_address(text: str) -> Address:
    try:
        return address(text, "funded")
    except InvalidParams as error:
        raise ValueError(f"{text!r} is not an address: {error.message}") from error
