"""The outside, behind the ports: AWS, and the same in memory.

Tour: ``dynamodb`` keeps runs, timers, lists and dead letters in one table, ``sqs`` is the step
queue, ``s3`` keeps large payloads, ``system`` has the clock and the identifiers. ``memory`` has
all of it within one process, for tests. Both sides call blobs as ``references`` says; ``errors``
and ``aws_errors`` see to it that no vendor's exception gets out.
"""
