"""`make bench-worlds`: large worlds of which each player sees a part, what players feel, and recordings."""
