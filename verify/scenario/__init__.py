"""What is asked: scenario files, and the Cases made of them."""
