"""The room that touches the world: sockets, files, clocks, screens."""
