"""Networks that are described with `pentary.nets`, trained on data of the user's."""
