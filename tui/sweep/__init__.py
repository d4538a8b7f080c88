"""Many runs of one recipe: what they vary, the queue that workers share, a worker, and what came of it."""
