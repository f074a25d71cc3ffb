"""Images: from files to arrays, split, prepared for the nets, and checked for doubtful ink."""
