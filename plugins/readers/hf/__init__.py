"""Run directories of the Hugging Face Trainer and of TRL."""
