"""The parts of the benchmarks that a comparison stands on."""
