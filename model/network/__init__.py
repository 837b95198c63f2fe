"""The distribution feeder and its power flow."""
