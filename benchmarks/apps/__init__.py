"""The applications that contestants serve, and what they are sent."""
