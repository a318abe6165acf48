"""A sample newsroom: a handful of news sites, their feeds and a server for them on loopback (see README.md)."""
