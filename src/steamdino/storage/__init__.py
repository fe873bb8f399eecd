"""Where bytes go: files and folders that appear whole, and that a power cut does not take back."""
