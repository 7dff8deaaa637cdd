"""Operating characteristics: what a design promises, scenario by scenario, before the first participant."""
