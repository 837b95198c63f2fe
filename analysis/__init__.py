"""What we learn: metrics, validation, design, figures, the command line and the dashboard."""
