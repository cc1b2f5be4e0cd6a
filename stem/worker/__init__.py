"""Runs tasks: fetch, attempt, keep the lease, rescue what another worker lost, stop without losing anything."""
