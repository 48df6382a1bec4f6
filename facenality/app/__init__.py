"""Start and stop one process."""
