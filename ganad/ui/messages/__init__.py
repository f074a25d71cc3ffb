"""What is said on a page: text from outside made harmless, notices, errors that stay in their part."""
