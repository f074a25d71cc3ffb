"""What is wrong with a training, from what its run has: a file a finding, numbers in, a finding out. It knows no screen and no net."""
