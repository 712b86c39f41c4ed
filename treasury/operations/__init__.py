"""The operator's commands, by noun: ``bin/treasury NOUN VERB``. One more interface: each verb calls services and selectors."""
