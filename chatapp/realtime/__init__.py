"""What lives while the process lives: connections, the queue, the writer, the hub."""
