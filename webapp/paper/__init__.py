"""Paper forms, printed from the same definitions as the pages."""
