"""The machinery of the benchmarks: environments, child processes, statistics, and the table. Standard library alone."""
