"""One module per screen; each view takes a request that the guard has let in."""
