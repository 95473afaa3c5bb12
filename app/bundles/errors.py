"""What keeps a bundle from serving."""

from __future__ import annotations


class BundleError(Exception):
    """The bundle is missing, damaged, made for another version, or does not compute what its card says."""
