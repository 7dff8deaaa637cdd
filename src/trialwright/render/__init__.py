"""How things look: HTML pieces, tables, SVG."""
