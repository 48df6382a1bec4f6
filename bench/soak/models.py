"""The models folder of a soak, and its versions as they come and go.

`colours` is a softmax over `strength` times the mean of each colour, so that every answer
is known: versions with odd numbers have another strength than those with even ones.
"""

import shutil
import subprocess
import sys
from pathlib import Path

STRENGTHS = (4.0, 8.0)  # of versions with even, with odd numbers
COLOURS = ("red", "green", "blue")
CARD = """
task = "image-classification"
labels = ["red", "green", "blue"]
output = "probability"
preprocess = "unit"
"""
# In a child: Keras and TensorFlow take 600 MB.
MAKE = """
import sys, keras, numpy
for strength, file in zip(sys.argv[1::2], sys.argv[2::2]):
    model = keras.Sequential([
        keras.Input((24, 24, 3)),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(3, activation="softmax"),
    ])
    model.layers[-1].set_weights([float(strength) * numpy.eye(3), numpy.zeros(3)])
    model.save(file)
"""
DOUBLE = """
def load(folder): return 2
def predict(factor, instances): return factor * instances
"""


class Models:
    """A folder with four models, of which `colours` changes."""

    def __init__(self, root: Path) -> None:
        self.folder, self._aside = root / "models", root / "aside"
        self._versions, self._steps = [1], 0

    def make(self) -> None:
        """Digits and texts as they are bundled, a `model.py`, and `colours` 1."""
        for name in ("digits", "sentiment"):
            shutil.copytree(Path("models", name), self.folder / name)
        for name in ("double", "colours"):
            (self.folder / name).mkdir()
        (self.folder / "double" / "model.py").write_text(DOUBLE)
        (self.folder / "double" / "model.toml").write_text('task = "tensor"\n')
        words = [sys.executable, "-c", MAKE]
        for number, strength in enumerate(STRENGTHS):
            made = self._aside / f"made-{number}"
            made.mkdir(parents=True)
            (made / "model.toml").write_text(CARD)
            words += [str(strength), str(made / "model.keras")]
        subprocess.run(words, check=True, stderr=subprocess.DEVNULL)
        self._publish(1)

    def step(self) -> str:
        """Publish the next version, or remove the older of two; what was done."""
        self._steps += 1
        if self._steps % 10 == 0:
            return self._publish_a_bad_one()
        if len(self._versions) > 1:
            return self.settle()
        self._versions.append(self._versions[-1] + 1)
        return self._publish(self._versions[-1])

    def settle(self) -> str:
        """Leave one version, as in the beginning."""
        if len(self._versions) == 1:
            return "removed none"
        number = self._versions.pop(0)
        shutil.rmtree(self.folder / "colours" / str(number))
        return f"removed {number}"

    def _publish(self, number: int) -> str:
        """Copied aside, then renamed: it appears whole."""
        copy = self._aside / str(number)
        shutil.copytree(self._aside / f"made-{number % 2}", copy)
        copy.rename(self.folder / "colours" / str(number))
        return f"published {number}"

    def _publish_a_bad_one(self) -> str:
        """A version that cannot be loaded, in the place of the last bad one."""
        bad = self.folder / "colours" / "1000000"
        shutil.rmtree(bad, ignore_errors=True)
        bad.mkdir()
        (bad / "model.keras").write_text(f"no model {self._steps}")
        return "published a bad one"
