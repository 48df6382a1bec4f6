"""Requests per second and latency on this machine, as ratios within one run."""
