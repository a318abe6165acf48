"""What HTTP means, without any I/O: who may be asked, what answers say, how bodies are coded."""
