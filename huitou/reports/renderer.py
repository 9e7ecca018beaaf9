"""Draws charts for another process: reads Vega-Lite specifications from its standard input, one line of JSON each, and answers
each with a line of JSON, the SVG. Run as a script.

This module loads nothing but the renderer.
"""

import json
import signal
import sys

import vl_convert


def main() -> None:
    """Draw until the input ends; who is interrupted is the other process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for line in sys.stdin:
        print(json.dumps(vl_convert.vegalite_to_svg(json.loads(line), allowed_base_urls=[])), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
