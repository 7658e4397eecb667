"""Estimators on plain arrays, shared by the analyses."""
