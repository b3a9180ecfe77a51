"""The ports within one process: what tests and the test engine run on.

Tour: ``store`` keeps runs, timers, lists and dead letters, ``queue`` delivers messages in
virtual time, ``blobs`` keeps large payloads, ``clock`` and ``ids`` are what a test says they
are. The contract suite that runs against AWS runs against these as well.
"""
