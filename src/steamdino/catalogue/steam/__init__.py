"""Steam's catalogue: its lists of games, their details, and the addresses of their banners."""
