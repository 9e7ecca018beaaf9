"""The diagnosis on paper: one HTML file, one workbook, one screen of the terminal; all of them in Chinese and in English.

In comes a `Report`: the diagnosis, the numbers behind it and where they come from, all computed. Out come files that open
offline on any machine. Nothing is computed here: a number that is not in the `Report` is not in the report.
"""

from huitou.reports.html import write_html
from huitou.reports.model import LoadNote, MetricNote, Report
from huitou.reports.terminal import print_diagnosis
from huitou.reports.xlsx import write_xlsx

__all__ = ["LoadNote", "MetricNote", "Report", "print_diagnosis", "write_html", "write_xlsx"]
