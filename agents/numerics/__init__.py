"""Arrays, random numbers, softmax, fixed points, and kernels compiled once."""
