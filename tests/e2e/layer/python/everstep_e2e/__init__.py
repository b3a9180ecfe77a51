"""Workflows that only tests deploy, beside the examples."""
