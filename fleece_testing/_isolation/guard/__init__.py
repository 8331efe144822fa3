"""The guard of one process. It needs the standard library alone, and runs on Python 3.8 and later.

A copy of this package stands on ``PYTHONPATH`` of the session's children, whose interpreter may be another one without
fleece: its modules import one another relatively, and nothing else.
"""
