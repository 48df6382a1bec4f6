"""A model's card: `model.toml` as it is written."""

import tomllib
from pathlib import Path
from typing import Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from ..engines.load_options import LoadOptions
from ..engines.remote import Addresses
from ..errors import ModelLoadFailed
from ..spec import Output, Preprocess, Task


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ImageCard(_Part):
    """The `[image]` table."""

    mode: Literal["RGB", "L"] | None = None
    size: tuple[int, int] | None = None
    resize: Literal["bilinear", "nearest", "bicubic", "lanczos"] = "bilinear"
    fit: Literal["stretch", "crop", "pad"] = "stretch"
    max_side: int = Field(1024, ge=16, le=4096)  # of pictures that keep their size


class TFServingCard(_Part):
    """The `[tf_serving]` table: a model that lives in TensorFlow Serving."""

    host: Addresses | None = None
    name: str | None = None
    signature: str | None = None
    input: str | None = None
    output: str | None = None
    version: int | None = Field(None, ge=1)
    label: str | None = None

    @model_validator(mode="after")
    def _one_choice(self) -> Self:
        if self.version is not None and self.label is not None:
            raise ValueError("version and label exclude each other")
        return self


class Card(_Part):
    """Every key is optional; None is left to inference or to the settings."""

    task: Task | None = None
    labels: str | tuple[str, ...] | None = None
    output: Output | None = None
    preprocess: Preprocess | None = None
    image: ImageCard = ImageCard()
    engine: Literal["auto", "tensorflow", "openvino", "tf-serving"] | None = None
    precision: Literal["float32", "bfloat16"] | None = None
    max_batch_size: int | None = Field(None, ge=1, le=1024)
    tolerance: float | None = Field(None, gt=0)
    tf_serving: TFServingCard | None = None
    libraries: tuple[str, ...] = ()
    allow_code: bool = False

    @property
    def load_options(self) -> LoadOptions:
        """What opening the model's file needs to know."""
        return LoadOptions(self.libraries, self.allow_code)


def read(file: Path | None) -> Card:
    """The card at `file`, or an empty one where there is none.

    Raises ModelLoadFailed with file, key and what is allowed.
    """
    if file is None:
        return Card()
    try:
        return Card.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise ModelLoadFailed(f"{file.name} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        raise ModelLoadFailed(f"{file.name}, {key}: {first['msg']}") from None
    except (ValueError, RecursionError) as error:  # also of numbers with 5000 digits
        raise ModelLoadFailed(f"{file.name} is not TOML: {error}") from None
