"""The worker that watches the signers' balances and what gas costs them, and warns before one runs dry."""

import logging
import time
from collections.abc import Mapping

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from app.clock import now
from app.events.catalogue import SIGNER_LOW, SIGNER_RECOVERED
from app.events.recorder import record
from app.settings import Settings
from app.signers import repository
from app.signers.models import GasSpent, SignerBalance
from app.signers.report import days_left, view
from chain.keys import Signer
from chain.relay.fees import market_fees
from chain.relay.head import HeadWatch
from chain.relay.models import ChainTransaction
from chain.rpc import Request, RpcClient, RpcError, RpcUnavailable

_log = logging.getLogger(__name__)

WATCH_S = 15.0
RECEIPTS_AT_ONCE = 100
LOW_TRANSACTIONS = 100
"""A balance below so many transactions of TYPICAL_GAS at the price of the moment is low, whatever was spent before."""
TYPICAL_GAS = 500_000


class SignerWatch:
    """The worker; every gateway may run one, as a warning is given once, by whoever writes it first."""

    def __init__(
        self, sessions: sessionmaker[Session], rpc: RpcClient, signers: Mapping[str, Signer], settings: Settings
    ) -> None:
        self._sessions = sessions
        self._rpc = rpc
        self._addresses = {name: signer.address for name, signer in signers.items()}
        self._settings = settings
        self._head = HeadWatch(rpc)
        self._looked_at = -WATCH_S

    def step(self) -> bool:
        """Looks if it is time; returns whether more receipts wait."""
        if time.monotonic() - self._looked_at < WATCH_S:
            return False
        try:
            more = self._count_gas()
            if not more:
                self._look()
                self._looked_at = time.monotonic()
        except (RpcError, RpcUnavailable) as error:
            _log.warning("balances are not looked up: %s", error)
            self._looked_at = time.monotonic()
            return False
        except IntegrityError:
            # Another gateway wrote the same rows at this moment.
            self._looked_at = time.monotonic()
            return False
        return more

    def _look(self) -> None:
        requests: list[Request] = [("eth_getBalance", (address, "latest")) for address in self._addresses.values()]
        answers = self._rpc.batch(requests)
        for answer in answers:
            if isinstance(answer, RpcError):
                raise answer
        # What the relay would offer: some nodes name a price also where gas is free.
        gas_price_wei = market_fees(self._rpc, self._head.look()[0].base_fee_wei).max_fee_wei
        with self._sessions.begin() as session:
            # In one order everywhere, so that two gateways never wait for each other.
            for (name, address), answer in sorted(zip(self._addresses.items(), answers, strict=True), key=_by_address):
                self._note(session, name, bytes.fromhex(address[2:]), int(answer, 16), gas_price_wei)

    def _note(self, session: Session, name: str, address: bytes, balance_wei: int, gas_price_wei: int) -> None:
        row = repository.lock_balance(session, address)
        if row is None:
            row = SignerBalance(address=address, low=False)
            session.add(row)
        row.name, row.balance_wei = name, str(balance_wei)
        row.gas_free, row.checked_at = gas_price_wei == 0, now()
        session.flush()
        seen = view(session, row)
        low = seen.needs_balance and self._is_low(balance_wei, int(seen.spent_30d_wei), gas_price_wei)
        if low == row.low:
            return
        row.low = low
        data = {
            "name": name,
            "address": seen.address,
            "roles": seen.roles,
            "balance_wei": seen.balance_wei,
            "spent_30d_wei": seen.spent_30d_wei,
            "days_left": seen.days_left,
            "gas_price_wei": str(gas_price_wei),
        }
        record(session, SIGNER_LOW if low else SIGNER_RECOVERED, data)
        if low:
            _log.warning("the key %s (%s) has %d wei left: send it more", name, seen.address, balance_wei)

    def _is_low(self, balance_wei: int, spent_30d_wei: int, gas_price_wei: int) -> bool:
        left = days_left(balance_wei, spent_30d_wei)
        few = balance_wei < LOW_TRANSACTIONS * TYPICAL_GAS * gas_price_wei
        return few or (left is not None and left < self._settings.signer_low_days)

    def _count_gas(self) -> bool:
        """Writes down what mined transactions cost; returns whether there may be more."""
        with self._sessions() as session:
            session.connection(execution_options={"readonly": True})
            rows = repository.uncounted(session, RECEIPTS_AT_ONCE)
        if not rows:
            return False
        answers = self._rpc.batch([("eth_getTransactionReceipt", (f"0x{row.hash.hex()}",)) for row in rows])
        # Without a receipt it is being sent again after a reorganisation, and counts later.
        spent = [
            _spent(row, answer)
            for row, answer in zip(rows, answers, strict=True)
            if answer is not None and not isinstance(answer, RpcError)
        ]
        with self._sessions.begin() as session:
            session.add_all(spent)
        return len(spent) == RECEIPTS_AT_ONCE


def _spent(row: ChainTransaction, receipt: Mapping[str, str]) -> GasSpent:
    gas_used = int(receipt["gasUsed"], 16)
    price_wei = int(receipt["effectiveGasPrice"], 16) if "effectiveGasPrice" in receipt else row.max_fee_wei
    return GasSpent(
        tx_hash=row.hash,
        signer=row.signer,
        gas_used=gas_used,
        fee_wei=gas_used * price_wei,
        signed_at=int(row.waiting_since),
    )


def _by_address(entry: tuple[tuple[str, str], str]) -> str:
    return entry[0][1]
