"""Engines: predict(batch) -> scores, here or on another server."""
