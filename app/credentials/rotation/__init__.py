"""New passwords for a release that works on meanwhile: both are accepted until everybody has the new ones."""
