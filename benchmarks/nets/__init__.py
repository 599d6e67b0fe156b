"""Players on bad networks: real packets between two network namespaces that are delayed, dropped, reordered and limited."""
