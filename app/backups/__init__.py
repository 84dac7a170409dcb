"""What is known of the backups of this database."""
