"""Which addresses a webhook may reach: on the public internet only, unless the settings allow others."""

import ipaddress
import socket
from urllib.parse import SplitResult, urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class ForbiddenAddress(Exception):
    """A webhook must not go there; the text says why."""


def checked_url(url: str, *, allow_private: bool) -> SplitResult:
    """The parts of a webhook's address, if it may be one as far as the text tells.

    Raises:
        ForbiddenAddress: It is no https address (http is for private networks only), holds a password, or names a
            private address outright.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ForbiddenAddress(f"is no address: {error}") from error
    schemes = ("https", "http") if allow_private else ("https",)
    if parts.scheme not in schemes or not parts.hostname or port == 0:
        raise ForbiddenAddress(f"must be an {' or '.join(schemes)} address")
    if parts.username is not None or parts.password is not None:
        raise ForbiddenAddress("must hold no password: check the signature instead")
    if parts.fragment or not url.isascii() or any(character <= " " for character in url):
        raise ForbiddenAddress("must be ASCII without blanks and fragment; write names in other letters as xn--...")
    try:
        literal = ipaddress.ip_address(parts.hostname)
    except ValueError:
        return parts
    if not allow_private and not is_public(literal):
        raise ForbiddenAddress(f"must not be the private address {literal}")
    return parts


def resolve(host: str, port: int, *, allow_private: bool) -> str:
    """The address to connect to. All addresses of a name must be allowed, so that no retry reaches a forbidden one.

    Raises:
        ForbiddenAddress: One of them is private.
        OSError: The name has none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]) for entry in found]
    for text in addresses:
        if not allow_private and not is_public(ipaddress.ip_address(text.partition("%")[0])):
            raise ForbiddenAddress(f"{host} is the private address {text}")
    return addresses[0]


def is_public(address: Address) -> bool:
    """Whether an address is one of the public internet, also where IPv6 wraps an IPv4 address."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.sixtofour is not None or address.teredo is not None:
            return False
        inner = address.ipv4_mapped
        if address in _NAT64:
            inner = ipaddress.IPv4Address(address.packed[12:])
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast
