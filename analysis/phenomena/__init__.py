"""What is known of tariffs, batteries and solar, asked of the model: expected sign, number found, verdict."""
