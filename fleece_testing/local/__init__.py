"""fleece-local: the local stack and the demo, as a command."""
