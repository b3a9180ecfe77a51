"""The workflows that are deployed: every module of this package is searched for them.

Put yours here, one module per workflow, or name other packages in the template's parameter
``Workflows``. Those below are examples and may be deleted.
"""
