"""What the start of a function's process takes."""
