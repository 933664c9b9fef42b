"""The rules in the forms that other programs read."""
