"""The product, one package per capability; who may call whom is in docs/architecture.md."""
