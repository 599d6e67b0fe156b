"""`make bench`: the server's CPU for a unit of work, beside its peers on the same machine."""
