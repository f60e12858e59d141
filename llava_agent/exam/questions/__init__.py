"""Questions about images with known answers: measure `ask` on photos and screenshots of your own."""
