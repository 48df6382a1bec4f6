"""The process: load, listen, look for versions, take orders, end with stdin."""

import asyncio
import json
import sys
import threading
from argparse import Namespace
from pathlib import Path

import grpc

from .faults import Fault
from .services import Told, server
from .sleeper import Sleeper
from .versions import Model

Loop = asyncio.AbstractEventLoop


async def serve(options: Namespace) -> None:
    """Until stdin is closed, or a signal ends it."""
    told = Told(await _models(options), content=options.content)
    serving = server(told, _pairs(options.grpc_channel_arguments))
    port = _listen(serving, options)
    await serving.start()
    print(port, flush=True)
    over = asyncio.Event()
    if not options.stay:
        _take_orders(told, asyncio.get_running_loop(), over)
    poll = asyncio.create_task(_look_again(told.models, options))
    await over.wait()
    poll.cancel()
    await serving.stop(0)


def _pairs(text: str) -> list[tuple[str, int]]:
    pairs = (one.partition("=") for one in text.split(",") if one)
    return [(name, int(number)) for name, _, number in pairs]


async def _models(options: Namespace) -> dict[str, Model]:
    if options.sleep is not None:
        return {name: _sleeping(options) for name in options.model}
    labels = {k: int(v) for k, _, v in (one.partition("=") for one in options.label)}
    pairs = (one.partition("=") for one in options.model)
    models = {name: Model(Path(base), labels) for name, _, base in pairs}
    await _look(models, options)
    return models


def _sleeping(options: Namespace) -> Model:
    shape = tuple(map(int, options.shape.split(",")))
    model = Model()
    model.loaded[1] = Sleeper(options.sleep, options.at_once, shape, options.units)
    return model


async def _look_again(models: dict[str, Model], options: Namespace) -> None:
    while options.sleep is None:
        await asyncio.sleep(options.poll)
        await _look(models, options)


async def _look(models: dict[str, Model], options: Namespace) -> None:
    from .saved_model import SavedModel  # a sleeping server does without TensorFlow

    for model in models.values():
        await model.look(SavedModel, every=options.policy == "all")


def _listen(serving: grpc.aio.Server, options: Namespace) -> int:
    address = f"{options.host}:{options.port}"
    if options.tls_cert:
        pair = (options.tls_key.read_bytes(), options.tls_cert.read_bytes())
        return serving.add_secure_port(address, grpc.ssl_server_credentials([pair]))
    return serving.add_insecure_port(address)


def _take_orders(told: Told, loop: Loop, over: asyncio.Event) -> None:
    """Read them in a thread of its own, and carry them out in the loop."""

    def read() -> None:
        for line in sys.stdin:
            obeyed = asyncio.run_coroutine_threadsafe(_obey(told, line), loop)
            print(obeyed.result(), flush=True)
        loop.call_soon_threadsafe(over.set)

    threading.Thread(target=read, daemon=True).start()


async def _obey(told: Told, line: str) -> str:
    order = json.loads(line)
    if order == "seen":
        return json.dumps(told.seen.report())
    told.faults.order(Fault(**order) if order else None)
    return "null"
