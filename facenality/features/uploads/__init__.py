"""What people send is kept only as `keep_uploads` allows, and can be taken back.

    sender ─ id ─▶ web ─ input ─▶ Uploads (hub) ─ thread ─▶ cleaned ─▶ Store ─▶ uploads/
                                     │                                  ├ HASH.png | …
                                  NotStored                             └ index.sqlite

Nothing in here is ever served. The id of the reply, which only the sender has, deletes.
"""

from .service import About, Uploads

__all__ = ["About", "Uploads"]
