"""Many people at once: the rules as one plan of columns, run in process (polars) or on Spark."""
