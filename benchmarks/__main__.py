"""Runs every benchmark, one after the other, on a quiet machine: python -m benchmarks."""

import subprocess
import sys

for module, words in (("benchmarks.facts", ["--messages", "10000000"]), ("benchmarks.imports", [])):
    print(f"\n{module} {' '.join(words)}", flush=True)
    subprocess.run([sys.executable, "-m", module, *words], check=True)
