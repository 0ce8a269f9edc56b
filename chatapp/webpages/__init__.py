"""What the pages of strangers tell about themselves."""
