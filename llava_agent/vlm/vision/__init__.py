"""Vision towers, preprocessing, and the exact map between feature cells and image pixels.

`geometry` and `preprocess` need numpy and Pillow only; `tower`, `open_clip_tower`, `hf_tower` and `convert`
import torch.
"""
