"""Rules and SQL, a file per noun. Knows no sockets, no HTML pages, no HTTP."""
