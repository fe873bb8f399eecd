"""Servers that stand in for others on loopback: real HTTP, and every way to misbehave."""
