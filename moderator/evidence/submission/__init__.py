"""What people hand in: looked over by content, drawn on a sheet of facts, sealed like any record."""
