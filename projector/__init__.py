"""The trainable bridge from a vision tower's features to a language model's embeddings."""

from projector.checkpoint import SavedProjector, load_projector, read_fingerprint, save_projector
from projector.fingerprint import Fingerprint, LanguageFingerprint, TowerFingerprint, sign_hash
from projector.modules import Projector, ProjectorConfig, build_projector

__all__ = [
    "Fingerprint",
    "LanguageFingerprint",
    "Projector",
    "ProjectorConfig",
    "SavedProjector",
    "TowerFingerprint",
    "build_projector",
    "load_projector",
    "read_fingerprint",
    "save_projector",
    "sign_hash",
]
