"""What stands between the network and the pages: who may ask, where they are found, and what is nowhere."""
