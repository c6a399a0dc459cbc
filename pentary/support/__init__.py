"""Utilities that any package may use: compiled code on disk, files, signals, parallel chunks, messages."""
