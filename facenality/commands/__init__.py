"""Commands that run offline: check, fetch, export, dataset, bench."""
