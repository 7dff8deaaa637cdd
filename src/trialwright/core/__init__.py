"""The values everything else is made of: truth, interval, quantity, unit, partial date, identifier, finding."""
