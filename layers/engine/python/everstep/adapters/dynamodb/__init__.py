"""One DynamoDB table behind four ports.

Tour: ``keys`` makes every key string, ``items`` turns values into attribute maps and back,
``conditions`` turns guards into condition expressions and ``updates`` changes of a head into
update expressions. ``table`` sends requests; ``store`` (runs), ``indexes`` (timers, lists) and
``dead_letters`` are the ports.
"""
