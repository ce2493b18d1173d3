"""Store what transcripts tell. The caller owns the transaction and holds the import lock."""
