"""The running process: wiring, settings, HTTP, Socket Mode, health, draining."""
