"""Plays seeds and tells what was found: ``python -m tests.simulation --seeds 200``; script/simulate starts it."""

import sys

if __name__ == "__main__":
    from tests.simulation import entrance

    sys.exit(entrance.main(sys.argv[1:]))
