"""What the verbs do: one module for each noun, one function for each verb."""
