"""What is done with the content of files: where it lies, and looking at pictures."""
