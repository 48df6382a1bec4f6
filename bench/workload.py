"""What is served and what is sent: models, photographs, forms; made once.

Random weights cost what trained ones do. The photographs are scikit-learn's china.jpg
as it is (640x427), enlarged to what a phone takes, and reduced to the model's size.
"""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from .wrk import Sent

RESULTS = Path("bench/results").absolute()
BOUNDARY = "----bench0123456789abcdef"
FORM = f"multipart/form-data; boundary={BOUNDARY}"
HEAD = (
    f"--{BOUNDARY}\r\nContent-Disposition: form-data; "
    'name="image"; filename="photo.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
)
CARD = 'task = "image-classification"\npreprocess = "tf"\n'
_MAKE_MODEL = """
import keras, sys
keras.utils.set_random_seed(0)
getattr(keras.applications, sys.argv[1])(weights=None).save(sys.argv[2])
"""
# By way of a SavedModel: what Keras's own OpenVINO backend exports runs several times
# slower in bfloat16.
_MAKE_IR = """
import sys, tempfile
import keras, openvino
model = keras.models.load_model(sys.argv[1], compile=False)
with tempfile.TemporaryDirectory() as folder:
    model.export(folder, verbose=False)
    converted = openvino.convert_model(folder)
    openvino.save_model(converted, sys.argv[2], compress_to_fp16=False)
"""


def form(*pictures: bytes) -> bytes:
    """Pictures as a browser's form sends them: a body of the content type FORM."""
    parts = (HEAD.encode() + one + b"\r\n" for one in pictures)
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


@dataclass(frozen=True)
class Network:
    """A network of keras.applications in a models folder of its own."""

    name: str

    @property
    def folder(self) -> Path:
        """The models folder."""
        return RESULTS / f"models-{self.name.lower()}"

    @property
    def file(self) -> Path:
        """The Keras file."""
        return self.folder / self.name.lower() / "model.keras"

    @property
    def ir(self) -> Path:
        """The same in OpenVINO's form, for who has no conversion of its own."""
        return RESULTS / f"{self.name.lower()}.xml"

    def make(self) -> None:
        """Write file and card, where they are not there yet."""
        if not self.file.exists():
            self.file.parent.mkdir(parents=True, exist_ok=True)
            _run(sys.executable, _MAKE_MODEL, self.name, self.file)
            self.file.with_name("model.toml").write_text(CARD)

    def convert(self, python: Path) -> None:
        """Write OpenVINO's form of the file, where it is not there yet."""
        if not self.ir.exists():
            _run(python, _MAKE_IR, self.file, self.ir)


MOBILENET = Network("MobileNetV2")
RESNET = Network("ResNet50")


def _run(python: object, code: str, *arguments: object) -> None:
    words = [str(word) for word in (python, "-c", code, *arguments)]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"a model could not be made: {done.stderr[-500:]}")


@dataclass(frozen=True)
class Photograph:
    """One picture, to be sent as a form or as it is."""

    file: Path

    def sent(self, raw: bool) -> Sent:
        """As it is, or in a form as a browser sends it."""
        if raw:
            return Sent(self.file, "image/jpeg")
        file = self.file.with_suffix(".form")
        if not file.exists():
            file.write_bytes(form(self.file.read_bytes()))
        return Sent(file, FORM)


def photographs() -> tuple[Photograph, Photograph, Photograph]:
    """640x427; 4000x3000 of some 1.5 MB; 224x224."""
    import sklearn

    RESULTS.mkdir(parents=True, exist_ok=True)
    source = Path(sklearn.__file__).parent / "datasets" / "images" / "china.jpg"
    usual = RESULTS / "usual.jpg"
    usual.write_bytes(source.read_bytes())
    large, small = RESULTS / "large.jpg", RESULTS / "small.jpg"
    if not large.exists():
        picture = Image.open(source)
        way = Image.Resampling.BICUBIC
        picture.resize((4000, 3000), way).save(large, quality=89)
        picture.resize((224, 224), way).save(small, quality=85)
    return Photograph(usual), Photograph(large), Photograph(small)
