"""Runs a command and says how much memory it took at most: peak_memory.py COMMAND [ARGUMENT ...]"""

import resource
import subprocess
import sys

if __name__ == "__main__":
    code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"\n{' '.join(sys.argv[2:])}: peak memory {peak:.0f} MiB")
    sys.exit(code)
