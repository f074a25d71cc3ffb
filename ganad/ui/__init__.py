"""What is on the screen: colours, charts, pictures and components; the pages put them together."""
