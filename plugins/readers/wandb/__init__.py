"""Weights & Biases: runs kept on disk, and summaries that were downloaded."""
