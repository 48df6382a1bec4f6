"""Thread pools, decode queue, admission control and batches."""
