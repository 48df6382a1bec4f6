"""Stores uploads as far as `keep_uploads` allows; their senders can delete them.

    sender ─ id ─▶ web ─ input ─▶ Uploads (hub) ─ thread ─▶ clean ─▶ Store ─▶ uploads/
                                     │                                ├ HASH.png | …
                                  NotStored                           └ index.sqlite

Stored files are never served. To delete one, send the id of the reply, which only its
sender has.
"""

from .service import About, Uploads

__all__ = ["About", "Uploads"]
