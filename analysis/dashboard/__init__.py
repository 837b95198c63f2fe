"""The browser page: an engine without a browser, a controller per visitor, and components that draw its views."""
