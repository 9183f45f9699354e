"""Webhooks reach the public internet and nothing behind the gateway."""

import ipaddress

import pytest

from app.webhooks.addresses import ForbiddenAddress, checked_url, is_public
from app.webhooks.post import post
from tests.app.webhooks.receiver import receiver

PRIVATE = (
    "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1",
    "::ffff:169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:1::",
)  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_known_in_every_spelling(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(ForbiddenAddress, match="private"):
        checked_url(f"https://{host}/hook", allow_private=False)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are_allowed(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "ftp://example.com/", "https://", "example.com/hook", "https://user:pw@example.com/",
        "https://example.com:0/", "https://example.com:99999/", "https://example.com/#part", "https://exa mple.com/",
        "https://例.com/", "https://example.com/\r\nX: y", "https://[::1", "",
    ],
)  # fmt: skip
def test_what_is_no_address_of_a_webhook_is_refused(url: str) -> None:
    with pytest.raises(ForbiddenAddress):
        checked_url(url, allow_private=False)


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f.1", "127.0.0.1.", "[::ffff:7f00:1]"])
def test_a_name_is_checked_when_it_is_resolved_and_nothing_is_sent(host: str) -> None:
    with receiver() as hook:
        port = hook.url.rsplit(":", 1)[1].split("/", 1)[0]
        answer = post(f"https://{host}:{port}/hook", {}, "{}", seconds=2, allow_private=False)
        assert answer.status is None
        assert not answer.taken
        assert not hook.received
    assert answer.error
    assert "SSL" not in answer.error
