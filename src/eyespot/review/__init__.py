"""Review a dataset: label issues, duplicates, outliers, groups, and proposals."""
