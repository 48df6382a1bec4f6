"""The bundle of services that `app/compose.py` makes and the routes use."""

from dataclasses import dataclass

from ..features.explain import Explainer
from ..features.uploads import Uploads
from ..features.url_images.fetcher import Fetcher
from ..observability.metrics import Metrics
from ..pipeline import Predictor
from ..registry.registry import Registry
from ..settings import Settings
from .auth import Keys, Tokens


@dataclass(frozen=True)
class Services:
    """All services; `create_app` gives each route only those that it needs."""

    settings: Settings
    registry: Registry
    predictor: Predictor
    tokens: Tokens
    keys: Keys
    metrics: Metrics
    fetcher: Fetcher
    explainer: Explainer
    uploads: Uploads
