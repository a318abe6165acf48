"""What is done to an archive that is there: cleaned again, checked, taken down from, pruned. No network is asked."""
