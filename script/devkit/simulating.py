"""script/simulate: plays the whole system from seeds, against PostgreSQL and Valkey servers of its own."""

import signal
import subprocess

from script.devkit import environment, system
from script.devkit.folders import PYTHON, ROOT
from script.devkit.postgres import binaries
from script.devkit.throwaway import prepare, throw_away_servers

HASH_SEED = "0"


def main(arguments: list[str]) -> int:
    """Play the seeds that are asked for; the exit code is that of ``python -m tests.simulation``."""
    command = [str(PYTHON), "-m", "tests.simulation", *arguments]
    if {"-h", "--help"} & set(arguments):
        prepare()
        return subprocess.run(command, check=False, cwd=ROOT).returncode
    prepare()
    with throw_away_servers() as (_, own):
        variables = {**environment.base(programs=binaries()), **own, "PYTHONHASHSEED": HASH_SEED}
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env=variables,
            preexec_fn=system.dies_with_parent(signal.SIGTERM),  # noqa: PLW1509 (one thread only)
        ) as running:
            try:
                return running.wait()
            finally:
                if running.poll() is None:
                    running.terminate()
