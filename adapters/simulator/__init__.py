"""An exchange on loopback that speaks the venues' own wire, and misbehaves on request."""
