"""What is in force in a session, and what all sessions share; nothing here is drawn."""
