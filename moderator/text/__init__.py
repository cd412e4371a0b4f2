"""Pure text cleaning, shared by training and serving."""
