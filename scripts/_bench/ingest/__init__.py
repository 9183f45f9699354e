"""How much evidence the gateway takes: a client in this process, the service in one of its own."""
