"""Cannot be imported."""

raise RuntimeError("the graph server is down\n(second line)")
