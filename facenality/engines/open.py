"""Opens the engine that a plan names."""

from pathlib import Path

from .engine import Engine, How, ProgressCallback
from .padding import allowed_batch_sizes

ON_TENSORFLOW = How()


def open_engine(
    file: Path,
    max_batch_size: int,
    on_progress: ProgressCallback,
    how: How = ON_TENSORFLOW,
) -> Engine:
    """Load `file` into an engine. Raises ModelLoadFailed. For the model thread."""
    sizes = allowed_batch_sizes(max_batch_size)
    if file.suffix == ".py":
        from .python_model import PythonEngine

        return PythonEngine(file, sizes, on_progress)
    if how.remote:
        on_progress(f"asking TensorFlow Serving at {how.remote.target}")
        from .tf_serving import open_remote

        return open_remote(how.remote)
    if how.converted:
        on_progress("importing OpenVINO")
        from .openvino.engine import OpenVINOEngine

        on_progress("compiling for this processor")
        return OpenVINOEngine(how.converted, sizes, how.precision, how.threads)
    on_progress("importing TensorFlow")
    from .tensorflow import runtime

    runtime.set_up(how.precision, how.threads)
    from .tensorflow.engine import open_file, open_kept

    if how.frozen:
        on_progress("opening its frozen graph")
        return open_kept(how.frozen, sizes)
    return open_file(file, sizes, on_progress, how.options)
