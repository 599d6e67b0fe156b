"""Documents: trees of values in a world, and the patches by which they travel (wire clauses 8.25 to 8.28)."""
