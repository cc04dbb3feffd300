"""What is computed: the post's network by hand, by torch and exactly, and how far each may err."""
