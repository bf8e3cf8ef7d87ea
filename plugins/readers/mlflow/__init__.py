"""MLflow: the file store and the SQLite store, read as files."""
