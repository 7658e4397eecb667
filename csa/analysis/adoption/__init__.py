"""Adoption: who uses the product, how often, and which parts of it."""
