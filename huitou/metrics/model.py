"""What a number looks like when it leaves this folder."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of one metric, for the whole shop or one combination of dimensions.

    `value`, `low`, `high` are in `unit` ("share" 0…1, "s", "CNY" in yuan, "count", "ratio", "stars"); 95 % interval.
    `status`: "final", "not_yet" (the window is open for some of n; value then covers the mature part or is None), or
    "needs …" (what no imported file carried). None is never zero. `numerator`, `denominator` are None where the metric
    has none (a quantile).
    """

    metric: str
    unit: str
    by: dict[str, str]
    value: float | None
    numerator: float | None
    denominator: float | None
    n: int
    low: float | None
    high: float | None
    status: str
    rules: str
    open: int = 0  # units left out of n because their window is still open
    keys: dict[str, int] = field(default_factory=dict)  # dimension → key of the row (agent_key …), for drill-down
