"""Files of tariffs as they are filed, and of meter readings."""
