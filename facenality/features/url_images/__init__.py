"""Fetches images by URLs that untrusted clients send.

    url ─ parse ─▶ Target ─ policy ─▶ kinds ─ resolve ─▶ addresses, all checked
                     ▲                                       │
                     │                        connect: the peer is one of them
                  Location ◀─ 30x ─ GET ◀─── connection ─────┘
                                     └── 200 ─▶ bytes

`fetcher.py` adds the deadline, the limit of concurrent fetches, and the one sentence
for every refusal. All of it runs on the hub with gevent's sockets; only names are
resolved in threads of their own.
"""
