"""The parts of the second interpreter: checked expressions as Ibis expressions over a whole population."""
