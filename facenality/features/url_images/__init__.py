"""An image by its URL, from a client that nobody needs to trust.

    url ─ target ─▶ Target ─ policy ─▶ kinds ─ resolving ─▶ addresses, all checked
                      ▲                                         │
                      │                         connecting: the peer is one of them
                   Location ◀─ 30x ─ asking ◀── connection ─────┘
                                       └── 200 ─▶ bytes

`fetcher` holds it together: the deadline, the number at once, and one sentence for
every refusal. All of it runs on the hub with gevent's own sockets; only names are
resolved in threads, a few of their own.
"""
