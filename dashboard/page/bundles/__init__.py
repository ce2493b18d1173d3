"""Files that the browser loads: bundles of scripts and style sheets, and their addresses."""
