"""Cohorts: of those who began together, who is still active, and who still pays."""
