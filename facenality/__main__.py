"""Starts Facenality with `python -m facenality`, as `python app.py` does."""

import sys

from .app.main import main
from .app.signals import exit_now

exit_now(main(sys.argv[1:]))
