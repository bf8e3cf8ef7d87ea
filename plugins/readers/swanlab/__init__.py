"""SwanLab: runs kept on disk."""
