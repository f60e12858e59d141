"""Which weights sat an exam."""

from __future__ import annotations

import hashlib


def fingerprint(preset: str) -> str:
    """The preset's name and 12 hex digits over every weight file that decides, built and shipped.

    Raises:
        ConfigError: there is no such preset.
        WeightsError: its weights are not there.
    """
    from llava_agent.vlm.weights import paths
    from llava_agent.vlm.weights.store import Manifest

    digest = hashlib.sha256()
    for folder in sorted(set(paths(preset).values())):
        manifest = Manifest.load(folder) or Manifest.of(folder, {}, {})
        for name, (sha256, _size) in sorted(manifest.files.items()):
            digest.update(f"{name} {sha256}\n".encode())
    return f"{preset} {digest.hexdigest()[:12]}"
