"""Steam's catalogue: its lists of games, what it says of them, and where their banners lie."""
