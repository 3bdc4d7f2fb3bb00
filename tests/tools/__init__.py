"""What people run by hand: nothing here is part of a check."""
