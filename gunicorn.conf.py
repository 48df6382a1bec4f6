"""gunicorn -c gunicorn.conf.py app:app: several processes behind one socket.

The settings are app.py's own, from the environment. docs/deploy.md says when it is
worth it: each worker holds a copy of the models.
"""

import os
import sys

from facenality.app.compose import check_settings
from facenality.cpu import cores
from facenality.errors import InvalidSetting
from facenality.settings import load

workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
# Each worker sizes its threads to its share of the cores.
os.environ.setdefault("FACENALITY_DECODER_THREADS", str(max(1, cores() // workers)))

try:
    settings = check_settings(load())
except InvalidSetting as error:
    sys.exit(f"gunicorn.conf.py: {error}")

bind = f"{settings.host}:{settings.port}"
worker_class = "facenality.app.gunicorn_worker.Worker"
# Never preload: TensorFlow must not be forked after it has started.
preload_app = False
# A worker drains by itself, in a reload when its successor has loaded; gunicorn only
# has to wait for it.
graceful_timeout = 2 * int(settings.drain_timeout_s) + 5
# A hub that is blocked for this long is dead. Loading happens in threads.
timeout = 60
control_socket_disable = True
