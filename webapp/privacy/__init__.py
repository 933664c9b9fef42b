"""Identity numbers shown on request, exports, the audit log, and what a person may ask for."""
