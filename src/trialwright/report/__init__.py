"""The study report: HTML, JSON, figures, and why."""
