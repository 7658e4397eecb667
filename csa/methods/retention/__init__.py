"""Retention curves by period: shifted beta-geometric, beta-discrete-Weibull, and their average."""
