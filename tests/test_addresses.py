"""Row R8: nothing is ever connected to at an address that is not for everybody."""

import os
import socket
import sys
import time
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facenality.errors import URLFetchFailed
from facenality.features.url_images import policy
from facenality.features.url_images.addresses import RULES, Kind, kind
from facenality.features.url_images.fetcher import Fetcher
from facenality.features.url_images.http_client import dial as real_dial
from facenality.features.url_images.http_client import trusting_the_system
from wild import Wild, reply

FORBIDDEN_4 = """
0.0.0.0 0.0.0.1 0.255.255.255 10.0.0.0 10.0.0.1 10.255.255.255 100.64.0.0 100.64.0.1
100.100.100.200 100.127.255.255 127.0.0.0 127.0.0.1 127.0.0.2 127.0.53.53
127.255.255.255 168.63.129.16 169.254.0.0 169.254.0.23 169.254.42.42 169.254.169.254
169.254.170.2 169.254.170.23 169.254.255.255 172.16.0.0 172.17.0.1 172.31.255.255
192.0.0.0 192.0.0.8 192.0.0.170 192.0.0.192 192.0.2.1 192.31.196.1 192.52.193.1
192.88.99.1 192.168.0.0 192.168.0.1 192.168.255.255 192.175.48.1 198.18.0.1
198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.0 224.0.0.1 224.0.0.251 232.1.1.1
239.255.255.250 240.0.0.0 240.0.0.1 255.255.255.254 255.255.255.255
""".split()  # noqa: SIM905  fifty quoted strings read worse
FORBIDDEN_6 = """
:: ::1 ::2 ::127.0.0.1 ::10.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:169.254.169.254
::ffff:10.0.0.1 ::ffff:8.8.8.8 ::ffff:0:127.0.0.1 64:ff9b::127.0.0.1
64:ff9b::169.254.169.254 64:ff9b::8.8.8.8 64:ff9b:1::1 100::1 100:0:0:1::1 2001::1
2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:1::1 2001:2::1 2001:3::1 2001:10::1
2001:20::1 2001:db8::1 2001:1ff:ffff::1 2002:7f00:1:: 2002:a9fe:a9fe:: 2002:808:808::1
2620:4f:8000::1 3ffe::1 3fff::1 4000::1 5f00::1 8000::1 fc00::1 fd00::1 fd00:42::42
fd00:100::100:200 fd00:a9fe:a9fe::1 fd00:c1::a9fe:a9fe fd00:ec2::23 fd00:ec2::253
fd00:ec2::254 fd20:ce::254 fdff:ffff::1 fe80::1 fe80::a9fe:a9fe febf::1 fec0::1 ff01::1
ff02::1 ff02::fb ff05::2 ff0e::1 ffff::1
""".split()  # noqa: SIM905  fifty quoted strings read worse
FORBIDDEN = FORBIDDEN_4 + FORBIDDEN_6
PUBLIC = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255
128.0.0.0 169.253.255.255 172.15.255.255 172.32.0.0 192.0.1.0 192.167.255.255
192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255 2000::1 2001:200::1
2001:4860:4860::8888 2003::1 2606:4700::1111 3fff:1000::1 3ffd::1
""".split()  # noqa: SIM905  fifty quoted strings read worse


class Connects:
    """Every connect of the process, counted by Python itself: an audit hook."""

    def __init__(self):
        self.watching = False
        self.seen = []
        sys.addaudithook(self._note)

    def _note(self, event, arguments):
        if self.watching and event in ("socket.connect", "socket.sendto"):
            self.seen.append(arguments[1])

    @contextmanager
    def watch(self):
        self.seen, self.watching = [], True
        try:
            yield self.seen
        finally:
            self.watching = False


CONNECTS = Connects()


def lenient(host, _port):
    """As lenient as the C library's resolver, with names for each address."""
    if host.startswith("name-"):
        return [NAMES[host]]
    try:
        return [socket.inet_ntoa(socket.inet_aton(host))]
    except OSError:
        raise socket.gaierror(-2, "Name or service not known") from None


NAMES = {f"name-{i}.example": address for i, address in enumerate(FORBIDDEN)}


def fetcher(setting="public", resolve=lenient, **more):
    return Fetcher(
        policy.read(setting), most=2**20, grain=0.0001, resolve=resolve, tls=TLS, **more
    )


TLS = trusting_the_system()  # reading all its certificates takes a while


PUBLICLY = fetcher()


def in_unicode(text):
    """Digits and dots that IDNA makes into plain ones."""
    wide = {ord("0") + i: 0xFF10 + i for i in range(10)} | {ord("."): 0x3002}
    return text.translate(wide)


def spellings_4(address):
    """URLs of an IPv4 address, of which some program or other knows each."""
    a, b, c, d = IPv4Address(address).packed
    number = int(IPv4Address(address))
    teredo = number ^ 0xFFFFFFFF
    hosts = [
        address,
        f"{address}.",
        f"{address}:80",
        f"{address}:443",
        str(number),
        hex(number),
        f"0{number:o}",
        f"0X{number:X}",
        f"0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}",
        f"0{a:o}.0{b:o}.0{c:o}.0{d:o}",
        f"{a:03}.{b:03}.{c:03}.{d:03}",
        f"{a:08o}.{b}.0x{c:x}.{d}",
        f"{a}.{(b << 16) + (c << 8) + d}",
        f"{a}.{b}.{(c << 8) + d}",
        f"{a}.{b}.{c}.{d + 256}",
        f"{address}.0",
        in_unicode(address),
        f"{a}%2e{b}%2e{c}%2e{d}",
        "".join(f"%{ord(char):02x}" for char in address),
        f"[::ffff:{address}]",
        f"[::ffff:{a << 8 | b:x}:{c << 8 | d:x}]",
        f"[0:0:0:0:0:FFFF:{a << 8 | b:X}:{c << 8 | d:X}]",
        f"[::{address}]",
        f"[64:ff9b::{address}]",
        f"[2002:{a << 8 | b:x}:{c << 8 | d:x}::]",
        f"[2001::{teredo >> 16:x}:{teredo & 0xFFFF:x}]",
        f"[{address}]",
        f"user@{address}",
        f"user:word@{address}",
        f"example.com@{address}",
        f"example.com%40{address}",
        f"{address}\\@example.com",
        f"{address}\t",
        f" {address}",
        f"{address}#@example.com",
        f"{address}?@example.com",
        f"{address}%00.example.com",
        f"{address}\u200b",
    ]
    return [f"http://{host}/" for host in hosts] + [
        f"https://{address}/",
        f"HTTP://{address}",
        f"http:/{address}/",
        f"http:///{address}/",
        f"//{address}/",
        f"\\\\{address}\\",
    ]


def spellings_6(address):
    """URLs of an IPv6 address."""
    given_ = IPv6Address(address)
    hosts = [
        f"[{address}]",
        f"[{address.upper()}]",
        f"[{given_.compressed}]",
        f"[{given_.exploded}]",
        f"[{given_.exploded.upper()}]:443",
        f"[{address}%lo]",
        f"[{address}%25lo]",
        f"[{address}%1]",
        f"[{address}]:80",
        f"[{address}].",
        f"[v1.{address}]",
        f"user@[{address}]",
        address,
    ]
    return [f"{scheme}://{host}/" for scheme in ("http", "https") for host in hosts]


def spellings(address):
    return spellings_6(address) if ":" in address else spellings_4(address)


def test_there_are_enough_of_them():
    assert len(FORBIDDEN_4) >= 45
    assert len(FORBIDDEN_6) >= 45
    assert len(set(FORBIDDEN)) == len(FORBIDDEN)


@pytest.mark.parametrize("address", FORBIDDEN)
def test_a_forbidden_address_is_never_connected_to_however_it_is_spelt(address):
    assert kind(address) is not Kind.PUBLIC
    refused = 0
    with CONNECTS.watch() as seen:
        for url in spellings(address):
            with pytest.raises(URLFetchFailed):
                PUBLICLY.fetch(url)
            refused += 1
    assert seen == []
    assert refused >= 20


def test_a_name_of_a_forbidden_address_is_never_connected_to():
    with CONNECTS.watch() as seen:
        for name in NAMES:
            for url in (f"http://{name}/", f"https://{name.upper()}./", f"//{name}"):
                with pytest.raises(URLFetchFailed):
                    PUBLICLY.fetch(url)
    assert seen == []


@pytest.mark.parametrize("address", PUBLIC)
def test_the_neighbours_of_forbidden_networks_are_public(address):
    assert kind(address) is Kind.PUBLIC


def test_no_rule_is_hidden_by_an_earlier_one():
    for i, (network, _) in enumerate(RULES):
        for earlier, _ in RULES[:i]:
            same = earlier.version == network.version
            assert not (same and network.subnet_of(earlier)), (network, earlier)


def test_what_is_no_address_leads_nowhere():
    for text in ("", "localhost", "1.2.3", "2606:4700::1111%eth0", "01.2.3.4"):
        assert kind(text) is Kind.NEVER


part = st.integers(0, 255).flatmap(
    lambda n: st.sampled_from([str(n), f"0{n:o}", f"0x{n:x}", f"0X{n:02X}", f"{n:04}"])
)
short = st.integers(0, 2**32 - 1).flatmap(
    lambda n: st.sampled_from([str(n), hex(n), f"0{n:o}", f"127.{n & 0xFFFFFF}"])
)
hosts = st.one_of(
    st.lists(part, min_size=1, max_size=5).map(".".join),
    short,
    st.sampled_from(FORBIDDEN_4),
    st.sampled_from(FORBIDDEN_6).map("[{}]".format),
    st.sampled_from(FORBIDDEN_4).map(in_unicode),
)
around = st.sampled_from(
    ["", ".", ":80", ":443", ":080", "@", "\\", "%00", "#", "/", "?"]
)
urls = st.one_of(
    st.builds(
        "{}{}{}{}{}/x.png".format,
        st.sampled_from(["http://", "https://", "HTTP://", "http:\\\\", "http:", ""]),
        around,
        hosts,
        around,
        st.sampled_from(["", ".", ":80"]),
    ),
    st.text(max_size=60),
    st.text(max_size=60).map("http://{}".format),
)


class Dialled:
    """Dials nobody; notes whom it would have dialled."""

    def __init__(self):
        self.to = []

    def __call__(self, address, _port):
        self.to.append(address)
        raise ConnectionRefusedError


DIALLED = Dialled()
DIALLING = fetcher(dial=DIALLED)


@settings(max_examples=int(os.environ.get("URLS", "500")), deadline=None)
@given(urls)
def test_whatever_the_url_only_public_addresses_are_dialled(url):
    DIALLED.to.clear()
    with CONNECTS.watch() as seen, pytest.raises(URLFetchFailed):
        DIALLING.fetch(url)
    assert seen == []
    for address in DIALLED.to:
        assert kind(address) is Kind.PUBLIC
        assert ip_address(address).is_global, address


@settings(max_examples=300, deadline=None)
@given(st.ip_addresses())
def test_public_is_never_more_than_what_python_calls_global(address):
    assert kind(str(address)) is not Kind.PUBLIC or address.is_global


def test_rebinding_never_gets_through():
    """1,000 rounds of a name whose answer changes with every question."""
    answers = ["93.184.216.34", "127.0.0.1", "169.254.169.254", "10.0.0.1", "::1"]
    count = 0

    def alternating(_host, _port):
        nonlocal count
        count += 1
        return [answers[count % len(answers)]]

    with Wild({"/": reply(b"secret")}) as listener:
        dial = Dialled()
        one = fetcher(resolve=alternating, dial=dial)
        with CONNECTS.watch() as seen:
            for _ in range(1000):
                with pytest.raises(URLFetchFailed):
                    one.fetch("http://rebinding.example/")
        assert count == 1000, "one question a connection: what is checked is dialled"
        assert set(dial.to) == {"93.184.216.34"}
        assert seen == []
        assert listener.connections == 0


def test_rebinding_a_named_host_never_leaves_what_is_allowed():
    """The same with a real listener that half of the rounds reach."""
    count = 0

    def alternating(_host, _port):
        nonlocal count
        count += 1
        return ["127.0.0.1" if count % 2 else "169.254.169.254"]

    with Wild({"/": reply(b"image")}) as listener:
        one = fetcher(listener.authority, alternating)
        fetched = 0
        with CONNECTS.watch() as seen:
            for _ in range(1000):
                try:
                    fetched += one.fetch(listener.url) == b"image"
                except URLFetchFailed:
                    continue
        assert fetched == 500
        assert set(seen) == {("127.0.0.1", listener.port)}
        assert listener.connections == 500


@pytest.mark.parametrize("bad", ["127.0.0.1", "169.254.169.254", "::1", "fe80::1%lo"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_forbidden_answer_among_others_refuses_them_all(bad, place):
    answers = ["93.184.216.34", "2606:2800:220:1::1"]
    answers.insert(place, bad)
    dial = Dialled()
    with pytest.raises(URLFetchFailed):
        fetcher(resolve=lambda *_: answers, dial=dial).fetch("http://mixed.example/")
    assert dial.to == []


def test_only_the_checked_addresses_are_dialled_in_their_order():
    answers = ["93.184.216.34", "2606:2800:220:1::1", "93.184.216.34"]
    dial = Dialled()
    with pytest.raises(URLFetchFailed):
        fetcher(resolve=lambda *_: answers, dial=dial).fetch("http://two.example/")
    assert dial.to == answers[:2]


def test_nothing_is_sent_where_the_connection_leads_elsewhere():
    """Whatever lies between: the peer is asked for, and must be who was checked."""
    with Wild({"/": reply(b"secret")}) as listener:
        one = fetcher(
            resolve=lambda *_: ["93.184.216.34"],
            dial=lambda *_: real_dial("127.0.0.1", listener.port),
        )
        with pytest.raises(URLFetchFailed):
            one.fetch("http://somewhere.example/")
        while not listener.connections:
            time.sleep(0.01)
    assert listener.connections == 1
    assert listener.asked == []
