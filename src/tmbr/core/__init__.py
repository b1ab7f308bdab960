"""The vocabulary: types, protocols, the trace store and the errors. Imports nothing from tmbr."""
