"""When steps run: one schedule table, and the driver that calls it."""
