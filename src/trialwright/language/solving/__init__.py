"""The third interpreter: a protocol's rules as formulas about one participant who may be anybody."""
