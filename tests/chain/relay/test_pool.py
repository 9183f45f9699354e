"""Several keys and several relays: keys are divided evenly and change hands, and each operation is sent once."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from sqlalchemy import select

from chain.enums import Role
from chain.keys import LocalSigner
from chain.relay import Relay, SignerState
from chain.relay.sharing import divide
from tests.chain.faucet import funded_signer
from tests.chain.relay.conftest import Desk

SECONDS = 0.6


def test_keys_are_divided_evenly_among_those_that_have_them() -> None:
    keys = ["admin", "relayer", "relayer-2", "relayer-3"]
    division = divide({"one": keys, "two": keys})
    assert {relay: [key for key in keys if division[key] == relay] for relay in ("one", "two")} == {
        "one": ["admin", "relayer-2"],
        "two": ["relayer", "relayer-3"],
    }
    assert divide({"one": keys[:1], "two": keys, "three": []}) == {**dict.fromkeys(keys, "two"), "admin": "one"}


def test_two_relays_share_two_keys_and_one_takes_over_from_the_other(desk: Desk) -> None:
    world = desk.world
    second = funded_signer(world.rpc, f"{world.label}/second")
    world.act("admin", "EntityRegistry", "grantRole", Role.REGISTRAR.value, second.address)
    signers = {"registrar": world.signers["registrar"], "registrar-2": second}
    ids: dict[str, list[str]] = {name: [] for name in signers}

    def put() -> None:
        for name in signers:
            firms = [f"{name} {len(ids[name]) + number}" for number in range(3)]
            ids[name] += desk.put_many(name, desk.registrations(firms))

    with ExitStack() as both:
        first = both.enter_context(_running(desk, signers))
        put()
        _until(lambda: not desk.unfinished())
        assert _owners(desk) == [first, first]
        with _running(desk, signers) as other:
            _until(lambda: sorted(map(str, _owners(desk))) == sorted([first, other]), put)
            both.close()
            _until(lambda: _owners(desk) == [other, other], put)
            _until(lambda: not desk.unfinished())
    assert _owners(desk) == [None, None]
    desk.assert_once("registrar", ids["registrar"])
    world.signers["registrar-2"], desk.before["registrar-2"] = second, 0
    try:
        desk.assert_once("registrar-2", ids["registrar-2"])
    finally:
        del world.signers["registrar-2"]


@contextmanager
def _running(desk: Desk, signers: dict[str, LocalSigner]) -> Iterator[str]:
    """A relay at work; its name."""
    stop = threading.Event()
    relay: Relay = desk.relay(signers=signers, lease_seconds=SECONDS)
    thread = threading.Thread(target=relay.run, args=(stop,))
    thread.start()
    try:
        yield relay._leases._owner
    finally:
        stop.set()
        relay.poke()
        thread.join()


def _owners(desk: Desk) -> list[str | None]:
    with desk.sessions() as session:
        return list(session.scalars(select(SignerState.lease_owner).order_by(SignerState.name)))


def _until(holds: Callable[[], bool], meanwhile: Callable[[], None] = lambda: None) -> None:
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline
        meanwhile()
        time.sleep(0.2)
