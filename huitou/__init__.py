"""Huitou 回头: where an online shop loses customers, why, what it costs, and what to do.

In come the files a shop can export; out come findings with their evidence. The folders are the flow:
``sources → lake → facts → metrics → findings → reports``.
"""

__version__ = "0.3.0"
