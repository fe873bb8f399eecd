"""DINO self-distillation on a gallery's own banners (needs PyTorch)."""
