"""Parts of the page: cards, tables, captions and links."""
