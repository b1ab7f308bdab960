"""Training data in the shapes in which others write and read it, a file a shape."""
