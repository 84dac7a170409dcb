"""Access to MySQL: who is read, who is written, and what happens when a member is lost."""
