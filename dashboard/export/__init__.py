"""The page's charts as files, for the command ``export`` and ``/export`` below the page."""
