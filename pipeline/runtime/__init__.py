"""What all flows share: the context of a run, its database, raw archive, processes, host sessions and events."""
