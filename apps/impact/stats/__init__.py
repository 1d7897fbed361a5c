"""What did an action change, and which solutions work? Pure numpy and scipy."""
