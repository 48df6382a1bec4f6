"""Classifies addresses by a table, in which the first match from the top decides.

Sources: IANA's special-purpose registries for IPv4 and IPv6, and the clouds' pages on
metadata. `ipaddress.is_global` does not suffice: it is true for NAT64, 6to4, multicast
and 168.63.129.16.
"""

from enum import Enum
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network


class Kind(Enum):
    """What a connection to an address may reach."""

    PUBLIC = "public"
    PRIVATE = "private"  # allowed only if the operator has named the host
    LOOPBACK = "loopback"  # allowed only if the operator has named it, as localhost
    NEVER = "never"


_TABLE = """
0.0.0.0/8              never     this network, RFC 791; on Linux this very machine
100.100.100.200/32     never     metadata of Alibaba Cloud
168.63.129.16/32       never     WireServer of Azure
169.254.0.0/16         never     link-local, RFC 3927; metadata of most clouds
192.0.0.0/24           never     assignments, RFC 6890; metadata of Oracle Classic
192.0.2.0/24           never     documentation, RFC 5737
192.31.196.0/24        never     AS112, RFC 7535
192.52.193.0/24        never     AMT, RFC 7450
192.88.99.0/24         never     6to4 relays, RFC 7526
192.175.48.0/24        never     AS112, RFC 7534
198.18.0.0/15          never     benchmarks, RFC 2544
198.51.100.0/24        never     documentation, RFC 5737
203.0.113.0/24         never     documentation, RFC 5737
224.0.0.0/4            never     multicast, RFC 5771
240.0.0.0/4            never     reserved, RFC 1112; broadcast
127.0.0.0/8            loopback  RFC 1122
10.0.0.0/8             private   RFC 1918
100.64.0.0/10          private   shared by a carrier's customers, RFC 6598
172.16.0.0/12          private   RFC 1918
192.168.0.0/16         private   RFC 1918
0.0.0.0/0              public    the rest of IPv4

::1/128                loopback  RFC 4291
::/128                 never     unspecified, RFC 4291; on Linux this very machine
::/96                  never     IPv4-compatible, RFC 4291
::ffff:0:0/96          never     IPv4-mapped, RFC 4291
::ffff:0:0:0/96        never     IPv4-translated, RFC 2765
64:ff9b::/96           never     NAT64, RFC 6052
64:ff9b:1::/48         never     NAT64, RFC 8215
100::/63               never     discard, RFC 6666, and a dummy, RFC 9780
2001::/23              never     assignments, RFC 2928: Teredo, benchmarks, ORCHID
2001:db8::/32          never     documentation, RFC 3849
2002::/16              never     6to4, RFC 3056
2620:4f:8000::/48      never     AS112, RFC 7534
3ffe::/16              never     6bone, RFC 3701
3fff::/20              never     documentation, RFC 9637
5f00::/16              never     SRv6, RFC 9602
fd00:42::42/128        never     metadata of Scaleway
fd00:100::100:200/128  never     metadata of Alibaba Cloud
fd00:a9fe:a9fe::/48    never     metadata of Linode
fd00:c1::a9fe:a9fe/128 never     metadata of Oracle Cloud
fd00:ec2::/32          never     metadata, DNS and time of AWS
fd20:ce::/32           never     metadata of Google Cloud
fc00::/7               private   unique local, RFC 4193
fe80::/10              never     link-local, RFC 4291
fec0::/10              never     site-local, RFC 3879
ff00::/8               never     multicast, RFC 4291
2000::/3               public    global unicast, RFC 4291
::/0                   never     the rest, which nobody has been given
"""


def _rule(line: str) -> tuple[IPv4Network | IPv6Network, Kind]:
    network, kind, *_ = line.split()
    return ip_network(network), Kind(kind)


RULES = tuple(_rule(line) for line in _TABLE.splitlines() if line)


def is_address(host: str) -> bool:
    """True if `host`, as `policy.hostname` returns it, is an address and not a name."""
    return ":" in host or host.rpartition(".")[2].isdigit()


def kind(address: str) -> Kind:
    """The kind of `address`; NEVER if it is not a plain address or has a zone."""
    try:
        given = ip_address(address)
    except ValueError:
        return Kind.NEVER
    if getattr(given, "scope_id", None):
        return Kind.NEVER
    return next(kind for network, kind in RULES if given in network)
