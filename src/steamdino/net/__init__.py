"""Asks servers for things, politely: paced, patient, and of known hosts only."""
