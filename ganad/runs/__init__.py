"""What a training leaves on disk: the run directory, its nets, its zip."""
