"""Bundles: loading, checking, and answering as a policy through onnxruntime."""
