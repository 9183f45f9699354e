"""The relay: sends what the outbox holds, each operation exactly once, whatever dies meanwhile."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from chain.contracts import Contracts
from chain.keys import Signer, SignerUnavailable
from chain.rpc import RpcClient, RpcError, RpcUnavailable
from chain.sql import reading

from . import repository
from .broadcaster import Broadcaster
from .equipment import Equipment
from .fees import GWEI, FeePolicy
from .head import Head, HeadWatch
from .lease import Lease, LeaseLost, Leases, new_owner
from .models import OperationStatus
from .outcome import node_error
from .replacing import Replacer
from .sender import QueueMoved, Sender
from .settling import Settler, expire
from .sharing import Sharing
from .signing import address_of
from .simulation import Simulation
from .tracker import Tracker
from .wakeup import Wakeup

_log = logging.getLogger(__name__)

POLL_SECONDS = 0.05
# With nothing to follow, only what other processes accept is looked for: a commit of this one rings.
_IDLE_SECONDS = 0.25
_WATCH_SECONDS = 1.0
_SWEPT_AT_ONCE = 100
# A key whose signer is away rests, so that it neither holds up the other keys nor is asked at every round.
_REST_SECONDS = 0.5
_LONGEST_REST_SECONDS = 10.0


class Relay:
    """Sends operations and follows them until they are final.

    Each key is served by a thread of its own. Per key, operations go out in the order of acceptance, several at a time;
    a long queue is merged (`parcels`). The nonce is taken and the signed bytes are stored in one SQL transaction before
    any node sees them; afterwards the same bytes are sent until a receipt is there. Several relays may share a
    database: they divide the keys evenly, and a key is served by one at a time.
    """

    def __init__(
        self,
        sessions: sessionmaker[Session],
        rpc: RpcClient,
        signers: Mapping[str, Signer],
        contracts: Contracts,
        *,
        confirmations: int = 1,
        in_flight: int = 64,
        merged_at_most: int = 50,
        max_fee_wei: int = 500 * GWEI,
        finality_depth: int = 64,
        lease_seconds: float = 15.0,
        resend_after: float = 3.0,
        stuck_after: float = 30.0,
        lost_after: float = 30.0,
        patience: float = 30.0,
        max_bumps: int = 10,
        simulate_at: str = "pending",
        on_progress: Callable[[], None] | None = None,
    ) -> None:
        """Start nothing; see `run` and `step`.

        Args:
            signers: keys by the names that operations use.
            confirmations: blocks that must hold a transaction, its own included, before its operations end.
            in_flight: unmined transactions of one key at most.
            merged_at_most: items of one transaction at most; 1 merges nothing.
            max_fee_wei: wei per gas that no transaction offers more than, whatever the market.
            finality_depth: blocks after which no reorganisation is expected any more.
            lease_seconds: after which a silent relay's keys go to another.
            resend_after: seconds after which unmined bytes are broadcast again.
            stuck_after: seconds after which the fees of an unmined transaction are raised.
            lost_after: seconds until a used nonce without receipt counts as somebody else's.
            patience: seconds after which a refusal in simulation counts although older operations are unfinished.
            max_bumps: replacements of one transaction at most.
            simulate_at: block tag that operations are simulated at.
            on_progress: called after operations ended, for example to wake the indexer.
        """
        self._sessions = sessions
        self._rpc = rpc
        self._signers = dict(signers)
        self._in_flight = in_flight
        self._lease_seconds = lease_seconds
        self._on_progress = on_progress
        owner = new_owner()
        self._leases = Leases(sessions, owner, seconds=lease_seconds)
        self._sharing = Sharing(sessions, owner, self._signers, seconds=lease_seconds)
        self._head = HeadWatch(rpc)
        equipment = Equipment(
            sessions,
            rpc,
            contracts,
            Broadcaster(rpc, again_after=resend_after),
            Simulation(rpc, tag=simulate_at, patience=patience),
            FeePolicy(max_fee_wei),
        )
        self._sender = Sender(equipment, merged_at_most=merged_at_most)
        self._tracker = Tracker(
            equipment,
            Settler(equipment, confirmations=confirmations),
            Replacer(equipment, stuck_after=stuck_after, max_bumps=max_bumps),
            confirmations=confirmations,
            finality_depth=finality_depth,
            lost_after=lost_after,
        )
        self._threads: ThreadPoolExecutor | None = None
        self._serving: dict[str, Future[bool]] = {}
        self._wakeup = Wakeup()
        self._wakeup.ring_after_enqueue(sessions)
        self._recheck: set[bytes] = set()
        self._looked_at = 0.0
        self._resting: dict[str, tuple[float, float]] = {}
        self._swept_at = 0.0

    def poke(self) -> None:
        """Let `run` look at once. A commit of the same sessions that enqueued does it by itself."""
        self._wakeup.ring()

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; outages of node and database are waited out. A key that is slow to be served, as
        with a signer elsewhere, holds up no other."""
        delay = POLL_SECONDS
        try:
            while not stop.is_set():
                try:
                    delay = POLL_SECONDS if self._begin() else _IDLE_SECONDS
                    wait(self._serving.values(), POLL_SECONDS, FIRST_COMPLETED)
                    busy = self._gather()
                except (RpcUnavailable, RpcError, DBAPIError) as error:
                    busy = False
                    delay = min(delay * 2, 2.0)
                    _log.warning("waiting %.1f s: %s", delay, error)
                if not busy:
                    self._wakeup.wait(delay)
        finally:
            self.close()

    def close(self) -> None:
        """Hand the keys back, until the next step; a relay that is killed instead loses them when its leases end."""
        if self._threads is not None:
            self._threads.shutdown()
            self._threads = None
        try:
            self._sharing.leave()
            self._leases.release(self._leases.held)
        except DBAPIError as error:
            _log.warning("keys not handed back: %s", error)

    def step(self) -> bool:
        """One round over all keys.

        Returns:
            Whether anything changed, so that another round is worth while at once.

        Raises:
            RpcError, RpcUnavailable: the node is of no use now; nothing is lost.
        """
        self._begin()
        wait(self._serving.values())
        return self._gather()

    def _begin(self) -> bool:
        """Serve the keys that there is something to do for and that are not being served.

        Returns:
            Whether there is something to do for any key.
        """
        self._sweep()
        own = self._sharing.own()
        self._let_go(own)
        wanted = (self._wanted() & own) - self._serving.keys()
        if not wanted:
            return bool(self._serving)
        head, changed = self._head.look()
        self._looked_at = time.monotonic()
        if changed:
            self._recheck = {address_of(signer) for signer in self._signers.values()}
        if self._threads is None:
            self._threads = ThreadPoolExecutor(max(1, len(self._signers)), thread_name_prefix="relay")
        for name in sorted(wanted):
            self._serving[name] = self._threads.submit(self._serve, name, self._signers[name], head)
        return True

    def _let_go(self, own: frozenset[str]) -> None:
        """Hand back the keys that are another relay's by now and that nobody serves at this moment."""
        kept = {address_of(self._signers[name]) for name in own | self._serving.keys()}
        if others := self._leases.held - kept:
            self._leases.release(others)

    def _gather(self) -> bool:
        """Take in what the threads that are done say: whether anything changed, or the first error."""
        done = [name for name, future in self._serving.items() if future.done()]
        futures = [self._serving.pop(name) for name in done]
        progress = any(future.exception() is None and future.result() for future in futures)
        if progress and self._on_progress is not None:
            self._on_progress()
        for future in futures:
            future.result()
        return progress

    def _sweep(self) -> None:
        """Once a second: end what missed its deadline in the queue."""
        if time.monotonic() - self._swept_at < _WATCH_SECONDS:
            return
        self._swept_at = time.monotonic()
        now = time.time()
        with reading(self._sessions) as session:
            overdue = bool(repository.overdue(session, now, 1))
        if overdue:
            with self._sessions.begin() as session:
                for operation in repository.overdue(session, now, _SWEPT_AT_ONCE):
                    expire(operation)

    def _wanted(self) -> set[str]:
        """Names of the keys that there is something to do for."""
        with reading(self._sessions) as session:
            wanted = repository.unfinished_signers(session)
            watched: set[bytes] = set()
            # Between operations only reorganisations matter, and they can wait a second.
            if not wanted and time.monotonic() - self._looked_at > _WATCH_SECONDS:
                watched = repository.watched_signers(session)
                if not watched:
                    self._looked_at = time.monotonic()
        if wanted - self._signers.keys():
            self._fail_unknown()
        return {name for name, signer in self._signers.items() if name in wanted or address_of(signer) in watched}

    def _serve(self, name: str, signer: Signer, head: Head) -> bool:
        """Follow and send for one key, if it is ours now."""
        rest, until = self._resting.get(name, (0.0, 0.0))
        if time.monotonic() < until:
            return False
        address = address_of(signer)
        lease = self._leases.hold(name, address)
        if lease is None:
            return False
        # Never taken for zero when the node does not say.
        mined_nonces = int(self._rpc.call("eth_getTransactionCount", signer.address, "latest"), 16)
        # Taken before it is done: what comes meanwhile, as the chain changes again, is a new set and for the next time.
        to_recheck = self._recheck
        recheck = address in to_recheck
        to_recheck.discard(address)
        try:
            followed, in_flight = self._follow(lease, signer, head, mined_nonces, recheck=recheck)
            room = self._in_flight - in_flight
            sent = room > 0 and self._sender.send(lease, name, signer, head, room=room, mined_nonces=mined_nonces)
        except LeaseLost as error:
            _log.warning("%s", error)
            self._leases.forget(lease)
            return False
        except QueueMoved as error:
            _log.warning("%s", error)
            return True
        except SignerUnavailable as error:
            # Nothing was signed and no nonce taken: a nonce is stored together with the signed bytes.
            rest = min(max(2 * rest, _REST_SECONDS), _LONGEST_REST_SECONDS)
            self._resting[name] = rest, time.monotonic() + rest
            _log.warning("the key %s rests %.1f s: %s", name, rest, error)
            return False
        self._resting.pop(name, None)
        return followed or sent

    def _follow(
        self, lease: Lease, signer: Signer, head: Head, mined_nonces: int, *, recheck: bool
    ) -> tuple[bool, int]:
        """See `Tracker.follow`; what could not be looked up again stays to be."""
        try:
            return self._tracker.follow(lease, signer, head, mined_nonces, recheck=recheck)
        except BaseException:
            if recheck:
                self._recheck.add(lease.address)
            raise

    def _fail_unknown(self) -> None:
        with self._sessions.begin() as session:
            now = time.time()
            for operation in repository.unknown_signers(session, self._signers, now, self._lease_seconds):
                text = f"no key is called {operation.signer}"
                repository.finish(operation, OperationStatus.FAILED, error=node_error("UnknownSigner", text))
                _log.error("%s failed: %s", operation.id, text)
