"""The LocalStack package is not installed where the tests run: put its folder on the path."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "localstack"))
