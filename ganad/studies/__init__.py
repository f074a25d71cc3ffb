"""Studies: many runs that answer one question, done on this machine or on a cluster, and what they say together."""
