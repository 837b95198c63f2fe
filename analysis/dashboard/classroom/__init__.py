"""The class market's pages: plain pages of the same server, each fed by one socket."""
