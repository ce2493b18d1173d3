"""The page's charts as files: the command ``export``, and ``/export`` below the page."""
