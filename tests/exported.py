"""Models in TensorFlow Serving's folders, and a gateway's cards for them."""

import shutil
from pathlib import Path

import numpy as np

import made
import networks
from serving import ROOT, Served
from standing_in import ModelServer

# What a gateway cannot see in a signature, its card has to say.
CARDS = {
    "colours": made.CARD,
    "traits": 'task = "image-regression"\npreprocess = "none"\n',
    "sums": 'task = "tensor"\n',
    "words": 'task = "text-classification"\noutput = "probability"\n',
    "two": 'task = "tensor"\n',
    "tenths": 'task = "tensor"\n',
    "shout": 'task = "tensor"\n',
    "net": 'task = "image-classification"\noutput = "probability"\n'
    'preprocess = "unit"\n',
}
SUMS = "sums", CARDS["sums"]


def export(model: Path, base: Path, version: int = 1) -> None:
    """The Keras file or SavedModel `model` as `base`/VERSION, which appears whole."""
    aside = base.with_name(f".{base.name}-{version}")
    if model.is_dir():
        shutil.copytree(model, aside)
    else:
        import keras

        keras.models.load_model(model, compile=False).export(aside, verbose=False)
    base.mkdir(parents=True, exist_ok=True)
    aside.rename(base / str(version))


def tenths(file: Path) -> None:
    """Whole numbers in: three indices, and out comes the tenth of each."""
    import keras

    table = keras.layers.Embedding(10, 1)
    indices = keras.Input((3,), dtype="int32", name="indices")
    model = keras.Sequential([indices, table, keras.layers.Flatten()])
    table.set_weights([np.arange(10, dtype="float32")[:, np.newaxis] / 10])
    model.save(file)


def weighted(file: Path, length: int, weight: float) -> None:
    """So many numbers in, and out comes `weight` times their sum."""
    import keras

    layer = keras.layers.Dense(1, use_bias=False)
    model = keras.Sequential([keras.Input((length,), name="rows"), layer])
    layer.set_weights([np.full((length, 1), weight, "float32")])
    model.save(file)


def everything(local: Path) -> dict[str, Path]:
    """A models folder with a model of each kind; the file of each."""
    shutil.copytree(ROOT / "models" / "digits", local / "digits")
    made.colours(local / "colours")
    made.traits(local / "traits")
    made.shout(local / "shout")
    made.two_by_two(local / "two")
    networks.network().save(local / "net.keras")
    for name, make in (("sums", made.sums), ("words", made.words), ("tenths", tenths)):
        make(local / f"{name}.keras")
    folders = {name: local / name / "model.keras" for name in ("colours", "traits")}
    folders |= {name: local / name / "model.keras" for name in ("digits", "two")}
    files = {
        name: local / f"{name}.keras" for name in ("sums", "words", "tenths", "net")
    }
    return folders | files | {"shout": local / "shout" / "saved_model"}


def card(models: Path, name: str, text: str, *more: Path) -> None:
    """A model of a gateway: its card, and the files `more` beside it."""
    (models / name).mkdir(parents=True)
    (models / name / "model.toml").write_text(text)
    for file in more:
        shutil.copy(file, models / name)


def gateway(
    models: Path, *servers: ModelServer | str, flags: tuple[str, ...] = (), **more
) -> Served:
    """`app.py` in front of `servers`."""
    hosts = [one if isinstance(one, str) else one.host for one in servers]
    where = ("--engine=tf-serving", f"--tf-serving-host={','.join(hosts)}")
    return Served(models, *where, "--scan-interval-s=0.5", *flags, **more)
