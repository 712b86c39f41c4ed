"""Which address a request came from, as far as our own proxies vouch for it, and which network that lies in."""

import ipaddress
from collections.abc import Iterable

from django.http import HttpRequest

IPV6_SITE_BITS = 64


def address(request: HttpRequest, *, trusted_proxies: int) -> str:
    """
    Return the address of the nearest sender that is no proxy of ours, or nothing where it cannot be told.

    Each trusted proxy appends one hop to X-Forwarded-For, so the sender stands that many hops from the right.
    What stands further left was written by the sender himself and is never believed.
    """
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "") if trusted_proxies else ""
    hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
    hops.append(request.META.get("REMOTE_ADDR", ""))
    is_vouched_for = (
        len(hops) > trusted_proxies
    )  # fewer hops came past a proxy of ours, and say what they like
    found = hops[-1 - trusted_proxies] if is_vouched_for else hops[-1]
    try:
        return str(
            ipaddress.ip_address(found.partition("%")[0])
        )  # which network card it came by is no part of it
    except ValueError:
        return ""


def holder(address_text: str) -> str:
    """Return what one sender can hold: an IPv4 address, or the /64 of an IPv6 one; nothing for no address."""
    if not address_text:
        return ""
    found = ipaddress.ip_address(address_text)
    if isinstance(found, ipaddress.IPv4Address):
        return address_text
    network = ipaddress.ip_network((int(found), IPV6_SITE_BITS), strict=False)
    return str(found.ipv4_mapped or network)


def is_inside(address_text: str) -> bool:
    """Say whether an address is this machine's or of a private network: where the operators' tools run."""
    try:
        found = ipaddress.ip_address(address_text)
    except ValueError:
        return False
    return found.is_loopback or found.is_private


def network(text: str) -> str:
    """
    Return a network as it is written everywhere: ``203.0.113.0/24``, or ``203.0.113.9/32`` for a single address.

    Raises ValueError for what is none, and for an address within a network that stands for the whole of it.
    """
    return str(ipaddress.ip_network(text.strip()))


def is_within(address_text: str, networks: Iterable[str]) -> bool:
    """Say whether an address or a network lies wholly in one of the networks; what cannot be told lies in none."""
    try:
        found = ipaddress.ip_network(_plain(address_text))
    except ValueError:
        return False
    return any(
        found.subnet_of(each)  # type: ignore[arg-type]  # versions are compared first
        for each in map(ipaddress.ip_network, networks)
        if each.version == found.version
    )


def _plain(text: str) -> str:
    """Return an IPv4 address that came dressed as IPv6 (``::ffff:203.0.113.9``) in its own form; others as they are."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return text
    return str(getattr(found, "ipv4_mapped", None) or found)
