"""The loop, spans, meters and machine card against their peers: `make bench-core`."""
