"""Findings, charts and tables: what a reader sees."""
