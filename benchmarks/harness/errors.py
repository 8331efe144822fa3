"""What can go wrong with a row, in one line that says who and why."""


class BenchmarkError(Exception):
    """An environment could not be made, or a contestant failed or did not do the work."""
