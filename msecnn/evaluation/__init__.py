"""How well scores fit labels: metrics, predictions over a split, intervals, paired runs, the paper's table, reports."""
