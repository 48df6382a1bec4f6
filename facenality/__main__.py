"""`python -m facenality`: the same as `python app.py`."""

import sys

from .main import main
from .process import exit_now

exit_now(main(sys.argv[1:]))
