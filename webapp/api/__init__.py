"""What phones send and fetch: single answers as they are tapped, drafts, and the rules of a place."""
