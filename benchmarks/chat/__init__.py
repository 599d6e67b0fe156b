"""`make bench-chat`: chat that is kept for good, beside a peer that keeps nothing; `make torture-chat`: servers are killed."""
