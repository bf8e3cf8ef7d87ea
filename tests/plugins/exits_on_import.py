"""Ends the process, or tries to."""

import sys

sys.exit("no licence")
