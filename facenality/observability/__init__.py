"""Prometheus metrics and logs."""
