"""What is planted: the mistakes that the suite must see, a line each."""
