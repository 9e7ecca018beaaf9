"""Runs the benchmarks, one after the other, on a quiet machine: python -m benchmarks [tables|text].

``tables``: facts and imports; ``text``: how fast and how right texts are read. Without a word, all of them.
"""

import subprocess
import sys
from importlib.util import find_spec

KINDS = {
    "tables": (("benchmarks.facts", "--messages", "10000000"), ("benchmarks.imports",)),
    "text": (("benchmarks.text",), ("benchmarks.inquiries",), ("benchmarks.learned",)),
}

for kind in sys.argv[1:] or KINDS:
    for module, *words in KINDS[kind]:
        print(f"\n{module} {' '.join(words)}", flush=True)
        if find_spec(module) is None:
            print("is not in this version: NOT measured")
            continue
        subprocess.run([sys.executable, "-m", module, *words], check=True)
