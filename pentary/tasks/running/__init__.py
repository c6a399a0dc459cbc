"""What tasks have in common: options, engines, and the run that the command line sees."""
