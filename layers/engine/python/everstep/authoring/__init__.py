"""What users write with: ``@workflow``, ``@step``, ``Context``, ``step_context``.

* ``annotations`` reads the types of a function, wherever it was defined;
* ``steps`` and ``workflows`` are the two decorators and what they make;
* ``context`` is the ``ctx`` of workflow code, ``step_context`` what a step may know;
* ``registry`` holds the workflows that are deployed.
"""
