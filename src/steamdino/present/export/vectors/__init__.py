"""Games with their vectors, names and facets, as tables that vector databases and query engines load."""
