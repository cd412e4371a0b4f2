"""Taking the picture: the live page in headless Chromium, or a drawing from the platform's data."""
