"""The web application: the protocol becomes the screens; Django is here, and nowhere else."""
