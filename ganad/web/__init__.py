"""What the dashboard and the report share in a browser: the colours, and the mixer of the weights."""
