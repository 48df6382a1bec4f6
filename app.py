#!/usr/bin/env python3
"""Starts Facenality: `python app.py`, and `app:app` for gunicorn."""

import sys

from facenality.app.main import main, wsgi_application
from facenality.app.signals import exit_now


def __getattr__(name: str) -> object:
    """`app:app` is composed when gunicorn asks for it."""
    if name != "app":
        raise AttributeError(name)
    return wsgi_application()


if __name__ == "__main__":
    exit_now(main(sys.argv[1:]))
