"""Which weights sat an exam."""

from __future__ import annotations

import hashlib


def fingerprint(name: str) -> str:
    """The preset's name and 12 hex digits of what decides.

    For the embedded model that is every weight file, built and shipped; for others it is the preset, which
    names weights of other origin without holding them.

    Raises:
        ConfigError: there is no such preset.
        WeightsError: the embedded weights are not there.
    """
    from llava_agent.vlm.presets import load_preset

    preset = load_preset(name)
    digest = hashlib.sha256(preset.model_dump_json(exclude={"summary", "needs"}).encode())
    if preset.kind == "embedded":
        from llava_agent.vlm.weights import paths
        from llava_agent.vlm.weights.store import Manifest

        for folder in sorted(set(paths(preset.weights).values())):
            manifest = Manifest.load(folder) or Manifest.of(folder, {}, {})
            for file, (sha256, _size) in sorted(manifest.files.items()):
                digest.update(f"{file} {sha256}\n".encode())
    return f"{preset.name} {digest.hexdigest()[:12]}"
