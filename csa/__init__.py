"""Customer success analytics: from tables to reports that carry their interval, n and method."""
