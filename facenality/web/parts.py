"""What the routes are made of, put together by the composition root."""

from dataclasses import dataclass

from ..catalog import Catalog
from ..explaining import Explainer
from ..metrics import Metrics
from ..predictor import Predictor
from ..settings import Settings
from ..tokens import Keys, Tokens
from ..uploads import Uploads
from ..urls.fetcher import Fetcher


@dataclass(frozen=True)
class Parts:
    """Each route is given those that it needs, and no more."""

    settings: Settings
    catalog: Catalog
    predictor: Predictor
    tokens: Tokens
    keys: Keys
    metrics: Metrics
    fetcher: Fetcher
    explainer: Explainer
    uploads: Uploads
