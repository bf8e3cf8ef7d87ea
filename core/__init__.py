"""What a report is and how one is made. Knows no trainer, no metric, no rule and no format: those are plugins."""
