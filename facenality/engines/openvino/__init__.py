"""OpenVINO, imported without its telemetry.

On import, the package openvino_telemetry reports to Google Analytics, from whoever's
server, unless somebody opted out in a file of its own. OpenVINO does without it.
"""

import sys

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # blocks it

import openvino

__all__ = ["openvino"]
