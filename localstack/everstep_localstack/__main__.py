"""`python -m everstep_localstack`."""

import sys

from everstep_localstack.cli import main

if __name__ == "__main__":
    sys.exit(main())
