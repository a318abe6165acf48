"""An example that sends every change of the archive to a web hook."""
