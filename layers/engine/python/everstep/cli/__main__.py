"""``python -m everstep.cli``: the command line, where no script of it is on the PATH."""

from everstep.cli import main

if __name__ == "__main__":
    main()
