"""The system checks that this project owns: E001 to E010 of docs/architecture.md."""
