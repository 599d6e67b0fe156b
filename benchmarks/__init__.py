"""What the framework costs, measured; `make bench-…` runs one."""
