"""The feeders that come with the model, each a plain networkx graph."""
