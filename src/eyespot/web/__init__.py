"""HTTP parts shared by the server and the studio: sockets, protocol limits, pages."""
