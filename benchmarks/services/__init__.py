"""What contestants talk to: real sockets, read and answered outside the process that is measured."""
