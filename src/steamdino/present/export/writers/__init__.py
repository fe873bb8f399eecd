"""The formats of matches, one writer a module; `writer_registry` lists them."""
