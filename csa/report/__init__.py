"""Editions: run, assemble, render and record."""
